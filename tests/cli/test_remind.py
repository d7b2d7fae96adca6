"""`hitl remind`: who has not answered is sent the request again."""

from __future__ import annotations

from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested


def test_should_ask_again_who_has_not_answered(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann", "bob"))
    result = hitl("remind", approval_id, "--as", "rita", "--json")
    assert result.json == {"approval_id": approval_id, "reminded": ["ann", "bob"]}
    event = world.store.history(approval_id)[-1]
    assert (event["event"], event["actor"], event["details"]["to"]) == (
        "reminded", "rita", ["ann", "bob"],
    )  # fmt: skip


def test_should_say_who_was_asked_and_when_it_is_too_soon(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann", "bob"))
    assert "is sent again to bob" in hitl("remind", approval_id, "--to", "bob").out
    again = hitl("remind", approval_id, "--to", "bob")
    assert again.status == 1
    assert "bob was reminded at 2026-01-02T03:04:05.000Z: again possible from " in again.err


def test_should_refuse_who_is_no_approver_of_it(hitl: Hitl, world: World) -> None:
    result = hitl("remind", requested(world, approvers=("ann",)), "--to", "eve")
    assert result.status != 0
    assert "to: 'eve' is not an approver of this request" in result.err


def test_should_remind_of_several_whatever_becomes_of_one(hitl: Hitl, world: World) -> None:
    first, second = (requested(world, approvers=("ann",)) for _ in range(2))
    result = hitl("remind", first, "f" * 32, second)
    assert result.status == 1
    assert [line.split()[0] for line in result.out.splitlines()] == [first, second]
    assert "hitl: " + "f" * 32 in result.err
    third = requested(world, approvers=("ann",))
    assert hitl("remind", "-", stdin=f"{third}\n").status == 0
