"""`hitl reassign` and `hitl retract`: whose turn it is, and an answer taken back."""

from __future__ import annotations

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World
from tests.anything import any_request

from .conftest import Hitl
from .pending import WHOLE, pending, requested

BOTH = Policy(quorum=Quorum.everyone())


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
    assert (result.status, "to: 'bob' is asked already" in result.err) == (1, True)
    assert hitl("reassign", approval_id).status == 2
    assert len(world.store.history(approval_id)) == 1


def test_should_take_an_answer_back_and_only_ones_own(hitl: Hitl, world: World) -> None:
    request = any_request(approvers=["ann", "bob"])
    approval_id = pending(world, WHOLE, request=request, policy=BOTH)
    assert hitl("approve", approval_id, "--yes", "--as", "ann").status == 0
    result = hitl("retract", approval_id, "--as", "bob")
    assert (result.status, "has no answer on this request to take back" in result.err) == (2, True)
    result = hitl("retract", approval_id, "--as", "ann")
    assert "without that answer: 0 of 2 approvals; ann and bob must still answer" in result.out
    assert "took back: approved" in " ".join(hitl("history", approval_id).out.split())
