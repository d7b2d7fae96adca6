"""`hitl drain`: waits for what waits, or withdraws it, and deletes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval_cli import clock
from tests.anything import any_opening

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import asked

Pauses = list[Callable[[], object]]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """What happens in each pause, in turn; a pause that was not foreseen fails."""
    planned: Pauses = []
    monkeypatch.setattr(clock, "pause", lambda _: planned.pop(0)())
    return planned


def opened(cloud: FakeCloud, tables: DynamoDbStore, approval_id: str = "a" * 32) -> str:
    approval = tables.create(any_opening(approval_id=approval_id))
    cloud.executions.append(approval.execution_arn)
    cloud.execution = {"Status": "SUCCEEDED"}
    cloud.decisions = replace(cloud.decisions, operators=("bob",))
    return approval.approval_id


def test_should_end_at_once_where_nothing_waits(
    hitl: Hitl, tables: DynamoDbStore, pauses: Pauses
) -> None:
    assert tables is not None
    result = hitl("drain")
    assert (result.status, result.err) == (0, "")
    assert result.out == "Nothing waits: the stack can be deleted.\n"


def test_should_wait_for_people(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, pauses: Pauses
) -> None:
    approval = opened(cloud, tables)
    payload = {"action": "decide", "approval_id": approval, "decision": "approved"}
    call = json.dumps({**payload, "approver": "ann"}).encode()
    pauses += [lambda: None, lambda: cloud.invoke("approval-api", call)]
    result = hitl("drain")
    assert result.status == 0
    assert result.err == "1 open request, 0 decisions not read yet, 0 workflows running\n"
    assert "cancel" not in asked(cloud)


def test_should_wait_for_workflows_that_have_not_read_their_decision(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, pauses: Pauses
) -> None:
    approval = opened(cloud, tables)
    cloud.execution = {"Status": "PAUSED"}
    pauses.append(lambda: cloud.execution.update(Status="SUCCEEDED"))
    result = hitl("drain", "--withdraw", "--yes", "-m", "moved")
    assert result.status == 0
    assert result.err == "0 open requests, 1 decision not read yet, 1 workflow running\n"
    assert result.out.startswith(f"{approval} is withdrawn\n")
    row = tables.get(approval)
    assert row is not None
    assert (row.status, row.decided_by, row.comments) == ("cancelled", "bob", "moved")


def test_should_count_every_page_of_executions(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, pauses: Pauses
) -> None:
    assert tables is not None
    cloud.executions += ["one", "two", "three"]
    pauses.append(lambda: cloud.execution.update(Status="FAILED"))
    assert hitl("drain").err == "0 open requests, 0 decisions not read yet, 3 workflows running\n"


def test_should_print_what_it_withdrew(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, pauses: Pauses
) -> None:
    ids = [opened(cloud, tables, each * 32) for each in "ab"]
    found = hitl("drain", "--withdraw", "--yes", "--json").json
    assert sorted(found.pop("withdrawn")) == ids
    assert found == {"pending": [], "unread": 0, "executions": 0}


def test_should_give_up_when_time_is_up(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = opened(cloud, tables)
    later = iter([clock.now()] * 2)
    last = clock.now().replace(year=2999)
    monkeypatch.setattr(clock, "now", lambda: next(later, last))
    result = hitl("drain", "--within", "1h", "--json")
    assert result.status == 1
    error = json.loads(result.err)["error"]
    assert (error["code"], error["details"]["pending"]) == ("NOT_DRAINED", [approval])


def test_should_ask_before_it_withdraws(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, pauses: Pauses
) -> None:
    opened(cloud, tables)
    assert hitl("drain", "--withdraw").status == 2
    refused = hitl("drain", "--withdraw", stdin="n\n", terminal=True)
    assert (refused.status, "Nothing was changed." in refused.err) == (0, True)
    assert "Withdraw 1 open request?" in refused.out
    assert "cancel" not in asked(cloud)
    assert hitl("drain", "--withdraw", stdin="y\n", terminal=True).status == 0


def test_should_leave_what_somebody_decided_meanwhile(
    hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore, pauses: Pauses
) -> None:
    approval = opened(cloud, tables)
    decide = {"action": "decide", "approval_id": approval, "decision": "rejected"}
    take, invoke = json.dumps({**decide, "approver": "ann"}).encode(), cloud.invoke

    def first_ann(FunctionName: str, Payload: bytes, **more: object) -> object:  # noqa: N803
        if b'"cancel"' in Payload:
            invoke(FunctionName, take)
        return invoke(FunctionName, Payload, **more)

    cloud.invoke = first_ann  # type: ignore[method-assign,assignment]
    found = hitl("drain", "--withdraw", "--yes", "--json").json
    assert found["withdrawn"] == []
    row = tables.get(approval)
    assert row is not None
    assert row.status == "rejected"


def test_should_say_who_may_withdraw(hitl: Hitl, cloud: FakeCloud, tables: DynamoDbStore) -> None:
    opened(cloud, tables)
    result = hitl("drain", "--withdraw", "--yes", "--as", "mallory")
    assert result.status == 1
    assert "pass --as with the name of one of the deployment's operators (FORBIDDEN)" in result.err
