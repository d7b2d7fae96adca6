"""An escalation asks others in time, and never decides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.errors import Forbidden
from hitl_approval.domain.escalation import SWEEP_GRACE, escalate, needs_attention_at
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.stage import Escalate
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared

QUARTER = timedelta(minutes=15)
STEPS = (Escalate(QUARTER, ["cid"]), Escalate(2 * QUARTER, ["dan"], "replace"))
PAST_THE_END = Escalate(timedelta(days=1), ["eve"])
OPENING = any_opening(
    request=any_request(approvers=["ann", "bob"]),
    policy=Policy(escalation=(*STEPS, PAST_THE_END)),
)


def escalated(times: int) -> Approval:
    approval = OPENING.after
    for number in range(1, times + 1):
        transition = escalate(approval, now=NOW + number * QUARTER)
        assert transition is not None
        approval = transition.after
    return approval


def test_should_take_each_step_when_it_is_due_and_not_before() -> None:
    approval = OPENING.after
    assert escalate(approval, now=NOW + QUARTER - timedelta(milliseconds=1)) is None
    assert needs_attention_at(approval) == NOW + QUARTER - SWEEP_GRACE
    first = escalate(approval, now=NOW + QUARTER)
    assert first is not None
    assert first.after.asked == ("ann", "bob", "cid")
    assert first.event.details["to"] == ["cid"]
    assert first.event.details["released"] == []
    assert escalate(first.after, now=NOW + QUARTER) is None
    second = escalate(first.after, now=NOW + 2 * QUARTER)
    assert second is not None
    assert second.after.asked == ("dan",)
    assert second.event.details["released"] == ["ann", "bob", "cid"]
    assert needs_attention_at(second.after) == second.after.expires_at
    assert escalate(second.after, now=NOW + timedelta(minutes=59)) is None
    assert examine([each.event.to_dict() for each in (OPENING, first, second)], second.after) == []


def test_should_leave_the_content_and_the_status_as_they_are() -> None:
    approval = escalated(2)
    assert approval.status == "pending"
    assert approval.content_digest == OPENING.after.content_digest


def test_should_let_decide_whom_the_record_asks_at_that_moment() -> None:
    for name, times in {"cid": 0, "dan": 1, "ann": 2, "bob": 2, "cid ": 2}.items():
        with pytest.raises(Forbidden, match=r"not an approver|not asked any more: dan may"):
            cast_vote(escalated(times), declared(name.strip()), "approved", "", now=NOW + QUARTER)
    for name, times in {"ann": 1, "cid": 1, "dan": 2}.items():
        vote = cast_vote(escalated(times), declared(name), "approved", "", now=NOW + 2 * QUARTER)
        assert vote is not None
        assert vote.after.status == "approved"


def test_should_not_escalate_what_has_ended_or_expired() -> None:
    approval = OPENING.after
    assert escalate(approval, now=approval.expires_at) is None
    ended = cast_vote(approval, declared("ann"), "approved", "", now=NOW)
    assert ended is not None
    assert escalate(ended.after, now=NOW + QUARTER) is None


def test_should_keep_a_vote_that_was_cast_before() -> None:
    approval = any_opening(
        request=any_request(approvers=["ann", "bob"]),
        policy=Policy(rejections_needed=2, escalation=STEPS),
    ).after
    voted = cast_vote(approval, declared("ann"), "rejected", "", now=NOW)
    assert voted is not None
    after = escalate(voted.after, now=NOW + QUARTER)
    assert after is not None
    assert after.after.votes == voted.after.votes
    gone = escalate(after.after, now=NOW + 2 * QUARTER)
    assert gone is not None
    assert gone.event.details["released"] == ["bob", "cid"]
    again = cast_vote(gone.after, declared("ann"), "rejected", "", now=NOW + 2 * QUARTER)
    assert again is None  # the same answer once more
