"""What a workflow gets back: all of the end, comments shortened, and only `approved` approves."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval, Decision
from hitl_approval.domain.binding import NotAsApproved
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.outcome import SHORT_COMMENT, NotApproved, Outcome, snapshot_of
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request, declared


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


CONTEXT = {"amount": 70, "to": "Zo\u00eb"}
PLAN = FileDigest(name="plan.tfplan", sha256="a" * 64, size=7)


def outcome_of(how: str, **fields: Any) -> Outcome:
    asked = any_approval(
        request=any_request(**{"context": CONTEXT, "files": [PLAN]} | fields), approval_id="one"
    )
    ends = {
        "approved": cast_vote(asked, declared("bob"), "approved", "", now=NOW),
        "rejected": cast_vote(asked, declared("bob"), "rejected", "no", now=NOW),
        "timeout": expire(asked, now=asked.expires_at),
        "cancelled": cancel(asked, declared("rita"), "", now=NOW),
    }
    ended = ends[how]
    assert ended is not None
    return Outcome.from_snapshot(json.loads(json.dumps(snapshot_of(ended.after, now=NOW))))


def test_should_verify_what_was_approved_and_nothing_else() -> None:
    outcome = outcome_of("approved")
    outcome.verify({"to": "Zo\u00eb", "amount": 70.0})
    outcome.verify(files=[PLAN])
    outcome.verify(CONTEXT, files=[PLAN])
    with pytest.raises(NotAsApproved, match="is not the context that was approved"):
        outcome.verify({"amount": 71, "to": "Zo\u00eb"}, files=[PLAN])
    with pytest.raises(NotAsApproved, match=r"plan\.tfplan' has other bytes"):
        outcome.verify(CONTEXT, files=[{**PLAN, "size": 8}])
    with pytest.raises(NotAsApproved, match="cannot have been approved"):
        outcome.verify(None)


def test_should_verify_nothing_of_nothing() -> None:
    with pytest.raises(TypeError, match="a payload, files or both"):
        outcome_of("approved").verify()


@pytest.mark.parametrize("how", ["rejected", "timeout", "cancelled"])
def test_should_verify_nothing_that_was_not_approved(how: str) -> None:
    with pytest.raises(NotApproved):
        outcome_of(how).verify(CONTEXT, files=[PLAN])


def test_should_not_verify_the_outcome_of_a_deployment_that_says_no_digest() -> None:
    """Of an execution that an older version began, or through an older request function."""
    older = snapshot_of(ended("approved"), now=NOW)
    for name in ("content_digest", "context_digest"):
        del older[name]
    outcome = Outcome.from_snapshot(older)
    with pytest.raises(NotAsApproved, match="it is not known which context was approved"):
        outcome.verify({})


def test_should_give_what_runs_after_a_key_that_is_always_the_same() -> None:
    key = outcome_of("approved").idempotency_key
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert outcome_of("approved").idempotency_key == key
    said = ["one", "approved", outcome_of("approved").content_digest]
    assert key == hashlib.sha256(json.dumps(said).replace(" ", "").encode()).hexdigest()[:32]


def test_should_give_each_outcome_a_key_of_its_own() -> None:
    outcomes = [
        outcome_of("approved"),
        outcome_of("rejected"),
        outcome_of("approved", context={}),
        replace(outcome_of("approved"), approval_id="two"),
    ]
    assert len({outcome.idempotency_key for outcome in outcomes}) == len(outcomes)


def test_should_say_no_more_of_a_pending_record_than_before() -> None:
    assert not {"content_digest", "context_digest"} & snapshot_of(any_approval(), now=NOW).keys()
    assert "files" not in snapshot_of(ended("approved"), now=NOW)
