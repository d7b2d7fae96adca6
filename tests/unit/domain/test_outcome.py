"""What a workflow gets back: all of the end, comments shortened, and only `approved` approves."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hitl_approval.domain.approval import Approval, Decision
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.outcome import SHORT_COMMENT, NotApproved, Outcome, snapshot_of
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, declared


def ended(how: str, comments: str = "because") -> Approval:
    approval = any_approval()
    match how:
        case "timeout":
            transition = expire(approval, now=approval.expires_at)
        case "cancelled":
            transition = cancel(approval, declared("rita"), comments, now=NOW)
        case _:
            decision: Decision = "approved" if how == "approved" else "rejected"
            transition = cast_vote(approval, declared("bob"), decision, comments, now=NOW)
    assert transition is not None
    return transition.after


@pytest.mark.parametrize("how", ["approved", "rejected", "timeout", "cancelled"])
def test_should_come_through_a_durable_step_as_it_was(how: str) -> None:
    approval = ended(how)
    outcome = Outcome.from_snapshot(json.loads(json.dumps(snapshot_of(approval, now=NOW))))
    assert (outcome.status, outcome.approved) == (how, how == "approved")
    assert (outcome.approval_id, outcome.decided_by) == (approval.approval_id, approval.decided_by)
    assert (outcome.decided_at, outcome.votes) == (approval.decided_at, approval.votes)


def test_should_shorten_each_comment_and_keep_the_deciders() -> None:
    long = "x" * (SHORT_COMMENT + 1)
    outcome = Outcome.from_snapshot(snapshot_of(ended("rejected", long), now=NOW))
    assert outcome.comments == long
    assert [len(vote.comments) for vote in outcome.votes] == [SHORT_COMMENT]


def test_should_hold_no_votes_while_it_is_pending() -> None:
    snapshot = snapshot_of(any_approval(), now=NOW + timedelta(seconds=1))
    assert (snapshot["status"], snapshot["votes"]) == ("pending", [])
    assert (snapshot["decided_at"], snapshot["now"]) == (None, "2026-01-02T03:04:06.000Z")


def test_should_say_why_it_was_not_approved() -> None:
    outcome = Outcome.from_snapshot(snapshot_of(ended("rejected", "too dear"), now=NOW))
    assert str(NotApproved(outcome)) == "rejected by bob: too dear"
    assert NotApproved(outcome).outcome is outcome
