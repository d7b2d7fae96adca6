"""What `hitl show` says of stages and an escalation."""

from __future__ import annotations

from datetime import timedelta

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.testing import World
from tests.anything import any_request

from .conftest import Hitl
from .pending import WHOLE, pending

POLICY = Policy(
    stages=(
        Stage(["bob", "cid"], Quorum.everyone(), timedelta(hours=1)),
        Stage(["dan"], timeout=timedelta(hours=1)),
    ),
    escalation=(
        Escalate(timedelta(minutes=20), ["leads"]),
        Escalate(timedelta(minutes=40), ["cfo"], "replace"),
        Escalate(timedelta(hours=2), ["ceo"]),
    ),
)


def test_should_say_who_is_asked_in_each_stage_and_when_others_are(
    hitl: Hitl, world: World
) -> None:
    approval_id = pending(world, WHOLE, request=any_request(approvers=["ann"]), policy=POLICY)
    shown = hitl("show", approval_id).out
    assert "Stage 1 of 3  ann: pending" in shown
    assert "Stage 2 of 3  bob, cid (2 approvals needed) will be asked" in shown
    assert "Stage 3 of 3  dan will be asked" in shown
    assert "leads asked too at 2026-" in shown
    assert "cfo asked instead at 2026-" in shown
    assert "ceo asked too not needed" in shown
    hitl("approve", approval_id, "--yes", "--as", "ann")
    shown = hitl("show", approval_id).out
    assert "Stage 1 of 3  ann: approved by ann" in shown
    assert "Stage 2 of 3  bob, cid (2 approvals needed): pending" in shown
    trail = " ".join(hitl("history", approval_id).out.split())
    assert "stage 2 begins, bob, cid may answer" in trail
    hitl("reject", approval_id, "--yes", "--as", "cid")
    shown = hitl("show", approval_id).out
    assert "Stage 2 of 3  bob, cid (2 approvals needed): rejected by cid" in shown
    assert "Stage 3 of 3  dan not asked" in shown


def test_should_say_which_step_was_taken(hitl: Hitl, world: World) -> None:
    approval_id = pending(world, WHOLE, request=any_request(approvers=["ann"]), policy=POLICY)
    world.clock.advance(timedelta(minutes=21))
    world.sweeps.sweep()
    assert "leads asked too, since 2026-" in hitl("show", approval_id).out
    assert "step 1: leads may answer too" in " ".join(hitl("history", approval_id).out.split())
