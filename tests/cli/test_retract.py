"""`hitl retract`: an answer taken back."""

from __future__ import annotations

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World
from tests.anything import any_request

from .conftest import Hitl
from .pending import WHOLE, pending

BOTH = Policy(quorum=Quorum.everyone())


def test_should_take_an_answer_back_and_only_ones_own(hitl: Hitl, world: World) -> None:
    request = any_request(approvers=["ann", "bob"])
    approval_id = pending(world, WHOLE, request=request, policy=BOTH)
    assert hitl("approve", approval_id, "--yes", "--as", "ann").status == 0
    result = hitl("retract", approval_id, "--as", "bob")
    assert (result.status, "has no answer on this request to take back" in result.err) == (2, True)
    result = hitl("retract", approval_id, "--as", "ann")
    assert "without that answer: 0 of 2 approvals; ann and bob must still answer" in result.out
    assert "took back: approved" in " ".join(hitl("history", approval_id).out.split())
