"""`hitl reassign`: somebody else in an approver's place."""

from __future__ import annotations

from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested


def test_should_ask_somebody_else_in_an_approvers_place(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann", "bob"))
    result = hitl("reassign", approval_id, "--to", "cid", "--as", "ann", "-m", "I am away")
    assert result.status == 0
    assert (
        result.out == f"{approval_id} now asks cid: 0 of 1 approvals; cid or bob can still answer\n"
    )
    event = world.store.history(approval_id)[-1]
    assert (event["event"], event["actor"], event["details"]["comments"]) == (
        "reassigned", "ann", "I am away",
    )  # fmt: skip
    assert "Handed over  by ann to cid" in hitl("show", approval_id).out
    assert "from ann to cid: I am away" in " ".join(hitl("history", approval_id).out.split())


def test_should_say_who_may_hand_over_and_what_is_wrong(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann", "bob"))
    result = hitl("reassign", approval_id, "--from", "ann", "--to", "cid", "--as", "eve")
    assert (result.status, "eve cannot hand this over: ann or an operator can" in result.err) == (
        1, True,
    )  # fmt: skip
    result = hitl("reassign", approval_id, "--to", "bob", "--as", "ann")
    assert (result.status, "--to: 'bob' is asked already" in result.err) == (2, True)
    assert hitl("reassign", approval_id).status == 2
    assert len(world.store.history(approval_id)) == 1
