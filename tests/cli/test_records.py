"""The two tables, read page by page; `test_audit.py` and `test_doctor.py` run the commands."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.errors import UnreadableRecord
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.records import RETRY_SECONDS, Records, batches
from tests.anything import any_opening

from .fake_cloud import FakeCloud


@pytest.fixture
def records(tables: DynamoDbStore) -> Records:
    return Records(Deployment("hitl-approval"))


def make(tables: DynamoDbStore, count: int) -> set[str]:
    return {tables.create(any_opening()).approval_id for _ in range(count)}


class Pages:
    """DynamoDB with one item on a page, and with keys that a batch leaves out at first."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[str] = []

    def scan(self, **wanted: Any) -> Any:
        self.calls.append("scan")
        return self.client.scan(Limit=1, **wanted)

    def query(self, **wanted: Any) -> Any:
        self.calls.append("query")
        return self.client.query(Limit=1, **wanted)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        self.calls.append("batch_get_item")
        ((table, asked),) = RequestItems.items()
        first, *rest = asked["Keys"]
        answer = self.client.batch_get_item(RequestItems={table: {**asked, "Keys": [first]}})
        return answer | ({"UnprocessedKeys": {table: {**asked, "Keys": rest}}} if rest else {})


@pytest.fixture
def pages(cloud: FakeCloud, tables: DynamoDbStore) -> Pages:
    found = Pages(tables.client)
    cloud.clients["dynamodb"] = found
    return found


def test_should_read_every_page(records: Records, tables: DynamoDbStore, pages: Pages) -> None:
    made = make(tables, 3)
    assert {trail[0]["approval_id"] for trail in records.trails()} == made
    assert set(records.ids()) == made
    assert pages.calls.count("scan") >= 3


def test_should_ask_again_for_what_a_batch_left_out(
    records: Records, tables: DynamoDbStore, pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(clock, "pause", waited.append)
    made = make(tables, 3)
    rows = dict(records.rows(made))
    assert rows.keys() == made
    assert all(isinstance(row, Approval) for row in rows.values())
    assert waited == [RETRY_SECONDS] * 2
    assert records.begun({*made, "nobody-asked"}) == made


def test_should_give_a_row_that_nobody_can_read_as_an_error(
    records: Records, tables: DynamoDbStore
) -> None:
    item = {"approval_id": {"S": "odd"}, "status": {"S": "pending"}}
    tables.client.put_item(TableName="approvals", Item=item)
    [(approval_id, row)] = records.rows(["odd"])
    assert approval_id == "odd"
    assert isinstance(row, UnreadableRecord)


class Refuses:
    """DynamoDB that refuses everything."""

    def __getattr__(self, operation: str) -> Any:
        def refuse(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)

        return refuse


def test_should_say_in_one_line_that_it_may_not_read(records: Records, cloud: FakeCloud) -> None:
    cloud.clients["dynamodb"] = Refuses()
    for read in (
        lambda: list(records.events()),
        lambda: list(records.rows(["a"])),
        lambda: records.trail("a"),
        records.postponed,
    ):
        with pytest.raises(CliError, match=r"AWS refused .*: check the credentials' permissions"):
            read()
    assert records.event_count() is None  # for a bar only


def test_should_say_that_nothing_has_the_id(records: Records) -> None:
    with pytest.raises(CliError, match="no approval has the id nobody"):
        records.trail("nobody")


def test_should_verify_nothing_where_nothing_signs(records: Records) -> None:
    assert records.signer is None
    assert records.signed({})


def test_should_give_so_many_at_a_time() -> None:
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([])) == []
