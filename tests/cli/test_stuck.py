"""Approvals that stand still: which, why, and the command that sets each going again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.testing import FixedClock
from tests.anything import NOW, any_opening, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .test_doctor import Fine, fine, states

__all__ = ["fine"]  # a fixture


def test_should_say_what_is_stuck_and_what_to_do(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    long_ago = NOW - timedelta(days=1)
    tables.create(any_opening(now=long_ago, timeout=timedelta(hours=1)))
    other = tables.create(any_opening(now=long_ago, timeout=timedelta(days=3)))
    then = replace(cloud.decisions, clock=FixedClock(long_ago))
    then.decide(other.approval_id, declared("bob"), "approved")
    cloud.executions.append(other.execution_arn)
    result = hitl("doctor")
    assert result.status == 1
    assert "wrong    overdue: 1 pending past their expiry: approval-" in result.out
    assert (
        "hitl doctor --fix lets the sweep close them now; hitl logs --function sweep says"
        in result.out
    )
    assert "wrong    not resumed: 1 decided, and their workflow has not resumed" in result.out
    assert f"hitl resume {other.approval_id}\n" in result.out


def test_should_say_what_the_sweep_has_put_aside_and_why(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore
) -> None:
    parked, later, polling = (tables.create(any_opening(now=NOW)).approval_id for _ in range(3))
    for approval_id, until, reason in (
        (parked, None, f"the record of {parked} cannot be read: policy"),
        (later, NOW + timedelta(hours=1), "DynamoDB did not take the call now"),
        (polling, NOW, None),
    ):
        tables.postpone(approval_id, found_on="pending", tries=1, until=until, reason=reason)
    result = hitl("doctor")
    assert result.status == 1
    assert f"1 parked by the sweep: {parked}: the record of {parked} cannot be read" in result.out
    assert f"hitl audit verify {parked} says whether it can be read now" in result.out
    assert f"deploy that one; then hitl repair {parked}\n" in result.out
    assert "wrong    overdue: 1 pending past their expiry: approval-" in result.out

    repaired = hitl("repair", "--all", "--json").json["approval_ids"]
    assert repaired == [later, parked]
    assert {one.until is None for one in tables.postponed()} == {False}
    assert states(hitl)["parked"] == "ok"
    assert "the sweep has parked nothing; the next sweep tries 2 again" in hitl("doctor").out


def test_should_leave_to_the_next_sweep_what_was_repaired(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore
) -> None:
    """It is due at once, and has hours left perhaps: nothing of it is overdue."""
    approval_id = tables.create(any_opening(now=NOW, timeout=timedelta(hours=9))).approval_id
    tables.postpone(approval_id, found_on="pending", tries=9, until=None, reason="unreadable")
    assert hitl("repair", approval_id).status == 0
    assert {name: states(hitl)[name] for name in ("overdue", "parked")} == {
        "overdue": "ok", "parked": "ok",
    }  # fmt: skip


def test_should_name_the_first_of_many_that_are_parked(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore
) -> None:
    for _ in range(5):
        one = tables.create(any_opening(now=NOW)).approval_id
        tables.postpone(one, found_on="pending", tries=9, until=None, reason="unreadable")
    out = hitl("doctor").out
    assert out.count(": unreadable; ") == 3
    assert "unreadable; and 2 more" in out
    assert out.count("hitl repair ") == 4
    assert "hitl repair --all for all" in out
