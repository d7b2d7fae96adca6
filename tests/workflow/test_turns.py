"""Stages, an escalation and a hand-over, as a workflow that waits sees them: not at all."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, Escalate, Quorum, Stage, wait_for_approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import Forbidden
from hitl_approval.testing import Approvals
from hitl_approval.testing.virtual_time import PATIENCE

from .conftest import Replaced, StageFactory

HOUR = timedelta(hours=1)
STAGES = (
    Stage(["ann"], timeout=HOUR),
    Stage(["bob", "cid"], Quorum.everyone(), timeout=3 * HOUR),
    Stage(["dan"], timeout=5 * HOUR),
)


@durable_execution
def pays(event: dict[str, Any], context: DurableContext) -> list[str]:
    stages = [Stage.from_dict(each) for each in event.get("stages", [])]
    steps = [Escalate.from_dict(each) for each in event.get("escalation", [])]
    request = ApprovalRequest(
        subject="Pay",
        requester="rita",
        approvers=tuple(event.get("approvers", ())),
        stages=stages,
        escalation=steps or None,
    )
    outcome = wait_for_approval(context, request)
    return [outcome.status, *(vote.approver for vote in outcome.votes)]


@pytest.fixture
def approvals() -> Any:
    with Approvals(requests_name_approvers=True) as made:
        yield made


STAGED = {"stages": [stage.to_dict() for stage in STAGES]}


def test_should_wait_through_three_stages_past_the_first_expiry(approvals: Approvals) -> None:
    run = approvals.start(pays, STAGED)
    assert [m.recipient for m in approvals.messages(kind="requested")] == ["ann"]
    approvals.advance(HOUR / 2)
    approvals.approve(by="ann")
    approvals.advance(2 * HOUR)  # long after the first expiry: the second stage has its own time
    assert not run.done
    asked = [m.recipient for m in approvals.messages(kind="requested")]
    assert asked == ["ann", "bob", "cid"]
    approvals.approve(by="cid")
    approvals.approve(by="bob")
    approvals.advance(4 * HOUR)
    approvals.approve(by="dan")
    assert run.result() == ["approved", "ann", "cid", "bob", "dan"]


def test_should_end_by_a_rejection_in_any_stage(approvals: Approvals) -> None:
    run = approvals.start(pays, STAGED)
    approvals.approve(by="ann")
    approvals.reject(by="bob")
    assert run.result() == ["rejected", "ann", "bob"]


def test_should_end_when_a_later_stage_is_silent(approvals: Approvals) -> None:
    run = approvals.start(pays, STAGED)
    approvals.approve(by="ann")
    approvals.let_time_out()
    assert run.result() == ["timeout", "ann"]


def test_should_ask_others_as_time_passes(approvals: Approvals) -> None:
    steps = [Escalate(HOUR / 4, ["leo"]), Escalate(HOUR / 2, ["mia"], "replace")]
    event = {"approvers": ["ann"], "escalation": [step.to_dict() for step in steps]}
    run = approvals.start(pays, event)
    approvals.advance(HOUR / 4)
    [pending] = approvals.pending()
    assert pending.asked == ("ann", "leo")
    approvals.advance(HOUR / 4)
    [pending] = approvals.pending()
    assert pending.asked == ("mia",)
    asked = [m.recipient for m in approvals.messages(kind="requested")]
    assert asked == ["ann", "leo", "mia"]
    released = {m.recipient for m in approvals.messages(kind="released")}
    assert released == {"ann", "leo"}
    approvals.approve(by="mia")
    assert run.result() == ["approved", "mia"]


def test_should_hand_over_and_take_back(approvals: Approvals) -> None:
    run = approvals.start(pays, STAGED)
    given = approvals.reassign(to="zoe", comments="away")
    assert given.asked == ("zoe",)
    approvals.approve(by="zoe")
    with pytest.raises(AssertionError, match=r"name the giver: \['bob', 'cid'\] are asked"):
        approvals.reassign(to="eve")
    approvals.approve(by="bob")
    assert approvals.retract(by="bob").votes_now == ()
    approvals.approve(by="bob")
    approvals.approve(by="cid")
    approvals.approve(by="dan")
    assert run.result() == ["approved", "zoe", "bob", "cid", "dan"]


def test_should_poll_through_its_stages(make_stage: StageFactory) -> None:
    """A stage's end is found by a poll, as a request's is; the last one's alone ends the wait."""
    stage = make_stage(pays, RESUME_MODE="polling", REQUESTS_NAME_APPROVERS="true")
    check, seen = stage.requests.check_status, []
    answers = {2: "ann", 4: "bob", 6: "cid", 8: "dan"}

    def checked(key: Any) -> Any:
        seen.append(stage.approval.turn.stage)
        if len(seen) in answers:
            actor = Actor(answers[len(seen)], "declared")
            stage.decisions.decide(stage.approval.approval_id, actor, "approved")
        return check(key)

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=checked))
    stage.start(STAGED)

    result = stage.runner.wait_for_result(stage.arn, timeout=int(PATIENCE))
    assert json.loads(str(result.result)) == ["approved", "ann", "bob", "cid", "dan"]
    assert seen == [0, 0, 1, 1, 1, 1, 2, 2]


def test_should_let_a_delegate_answer_from_its_first_moment_to_before_its_last(
    approvals: Approvals,
) -> None:
    approvals.approval_timeout = timedelta(days=5)
    approvals.delegate(to="dan", giver="ann", starts=timedelta(hours=1), until=timedelta(hours=2))
    run = approvals.start(pays, {"approvers": ["ann"]}, name="one")
    approvals.start(pays, {"approvers": ["ann"]}, name="two")
    one, two = approvals.pending()

    with pytest.raises(Forbidden):
        approvals.approve(one, by="dan")
    approvals.advance(timedelta(hours=1))
    decided = approvals.approve(one, by="dan")
    approvals.advance(timedelta(hours=1))
    with pytest.raises(Forbidden):
        approvals.approve(two, by="dan")

    assert [(vote.approver, vote.on_behalf_of) for vote in decided.votes] == [("dan", "ann")]
    assert run.result() == ["approved", "dan"]


def test_should_refuse_a_delegation_by_somebody_else(approvals: Approvals) -> None:
    with pytest.raises(Forbidden):
        approvals.delegate(to="dan", giver="ann", until=timedelta(hours=2), by="bob")
