"""One suite for both inboxes: what a `ports.Inbox` promises, in memory and on DynamoDB (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import InvalidRequest, Unavailable
from hitl_approval.ports.records import Inbox
from hitl_approval.testing import InMemoryInbox
from tests.anything import any_approval


def create_inbox(client: Any) -> None:
    client.create_table(
        TableName="inbox",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "approver", "KeyType": "HASH"},
            {"AttributeName": "due", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("approver", "due")
        ],
    )


@pytest.fixture(params=["memory", "dynamodb"])
def inbox(request: pytest.FixtureRequest) -> Iterator[Inbox]:
    if request.param == "memory":
        yield InMemoryInbox()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_inbox(client)
        yield DynamoDbInbox(client=client, table="inbox")


def due(hours: int, **fields: Any) -> Approval:
    return any_approval(timeout=timedelta(hours=hours), **fields)


def ids(inbox: Inbox, name: str) -> list[str]:
    return [item["approval_id"] for item in inbox.awaiting(name, limit=100, cursor=None).items]


def test_should_show_each_person_only_what_awaits_them_the_most_urgent_first(inbox: Inbox) -> None:
    later, soon, another = due(5), due(1), due(2)
    inbox.add(later, ["ann", "bob"])
    inbox.add(soon, ["ann"])
    inbox.add(another, ["bob"])
    assert ids(inbox, "ann") == [soon.approval_id, later.approval_id]
    assert ids(inbox, "bob") == [another.approval_id, later.approval_id]
    assert ids(inbox, "cid") == []


def test_should_know_a_person_however_the_name_is_written(inbox: Inbox) -> None:
    approval = due(1)
    inbox.add(approval, ["Ann@Example.com"])
    assert ids(inbox, "ann@example.com ") == [approval.approval_id]
    inbox.remove(approval, ["ANN@example.com"])
    assert ids(inbox, "Ann@Example.com") == []


def test_should_hold_what_awaits_500_people(inbox: Inbox) -> None:
    approval, people = due(1), [f"person-{number}" for number in range(500)]
    inbox.add(approval, people)
    assert [ids(inbox, name) for name in people] == [[approval.approval_id]] * 500
    inbox.remove(approval, people[1:])
    assert [bool(ids(inbox, name)) for name in people] == [True] + [False] * 499


def test_should_take_the_same_twice_as_once(inbox: Inbox) -> None:
    approval = due(1)
    for _ in range(2):
        inbox.add(approval, ["ann"])
    assert ids(inbox, "ann") == [approval.approval_id]
    for _ in range(2):
        inbox.remove(approval, ["ann"])
    assert ids(inbox, "ann") == []
    inbox.add(approval, [])
    inbox.remove(approval, [])


def test_should_show_what_is_asked_by_whom_until_when_and_no_more(inbox: Inbox) -> None:
    approval = due(1)
    inbox.add(approval, ["ann"])
    assert inbox.awaiting("ann", limit=1, cursor=None).items == [
        {
            "approval_id": approval.approval_id,
            "subject": approval.subject,
            "requester": approval.requester,
            "created_at": isoformat(approval.created_at),
            "expires_at": isoformat(approval.expires_at),
        }
    ]


def test_should_go_on_where_a_page_ended(inbox: Inbox) -> None:
    approvals = [due(1 + number % 3) for number in range(7)]
    for approval in approvals:
        inbox.add(approval, ["ann"])
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = inbox.awaiting("ann", limit=3, cursor=cursor)
        seen += [item["approval_id"] for item in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ids(inbox, "ann")
    assert sorted(seen) == sorted(approval.approval_id for approval in approvals)


@pytest.mark.parametrize("cursor", ["garbage", "W10="])
def test_should_refuse_a_cursor_that_no_list_gave(inbox: Inbox, cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="is not one that a list gave"):
        inbox.awaiting("ann", limit=3, cursor=cursor)


def test_should_say_when_dynamodb_took_only_a_part() -> None:
    class Full:
        def batch_write_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803  boto3's
            return {"UnprocessedItems": {"inbox": RequestItems["inbox"][1:]}}

    with pytest.raises(Unavailable, match="did not take all"):
        DynamoDbInbox(client=Full(), table="inbox").add(due(1), ["ann", "bob"])


def test_should_read_no_more_than_a_page() -> None:
    asked: list[dict[str, Any]] = []

    class Watched:
        def query(self, **call: Any) -> dict[str, Any]:
            asked.append(call)
            return {"Items": []}

    DynamoDbInbox(client=Watched(), table="inbox").awaiting("ann", limit=20, cursor=None)
    [call] = asked
    assert (call["TableName"], call["Limit"]) == ("inbox", 20)
    assert "FilterExpression" not in call
