"""How a vote is cast, and what the votes amount to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.approval import (
    Approval,
    Decision,
    Status,
    Transition,
    Vote,
    vote_by,
    with_event,
)
from hitl_approval.domain.audit import Actor, isoformat, on_record
from hitl_approval.domain.ending import check_open, closed, end, expired
from hitl_approval.domain.errors import (
    AlreadyDecided,
    CommentRequired,
    ContentChanged,
    Forbidden,
)
from hitl_approval.domain.permission import check_identity, check_may_decide
from hitl_approval.domain.quorum import GroupQuorum, votes_of
from hitl_approval.domain.room import kept_comment, room_for_comments
from hitl_approval.domain.turn import Turn, escalated, place_of
from hitl_approval.domain.values import NOTHING, Values, is_repeated, take


def cast_vote(
    approval: Approval,
    actor: Actor,
    decision: Decision,
    comments: str,
    *,
    now: datetime,
    content_digest: str | None = None,
    values: Values = NOTHING,
) -> Transition | None:
    """Answer: the vote, and the decision if the policy is satisfied by it.

    Args:
        approval: the record.
        actor: who answers.
        decision: their answer.
        comments: what they say.
        now: the time.
        content_digest: of what they saw. Default: they do not say.
        values: what they fill in and what they change. Default: nothing.

    Returns:
        The transition to commit, or None when this person has already voted the same way.

    Raises:
        AlreadyDecided: another decision, or the caller's own opposite vote, came first.
        ApprovalExpired: the time to decide has passed.
        Forbidden: the policy does not let this person decide.
        ContentChanged: the caller saw something else than what stands on record.
        CommentRequired: a rejection without the comment that the policy demands.
        InvalidRequest: values that do not fit; `ValuesRefused` names each.
    """
    earlier = approval.vote_of(actor.name)
    alike = vote_by(approval.votes, actor.name, text.person_key)
    if not approval.pending:
        counted = approval.status != "timeout" and earlier
        if counted and is_repeated(approval, counted, decision, values):
            return None
        raise closed(approval)
    if now >= approval.expires_at:
        raise expired(approval)
    _check_may_answer(approval, actor, earlier)
    if earlier and values.changes and is_repeated(approval, earlier, decision, values):
        return None  # about the content before this change, which is on record
    if content_digest is not None and content_digest != approval.content_digest:
        raise ContentChanged(
            "the request is not the one that was shown: read it again",
            content_digest=approval.content_digest,
        )
    if earlier:
        if is_repeated(approval, earlier, decision, values):
            return None
        otherwise = ", with other values" if earlier.decision == decision else ""
        raise AlreadyDecided(
            f"{earlier.approver} has already {earlier.decision} this request{otherwise}",
            status=approval.status,
            decided_by=earlier.approver,
            decided_at=isoformat(earlier.at),
        )
    if alike:
        raise Forbidden(
            f"{alike.approver}, whose name looks the same, has already answered this request"
        )
    if decision == "rejected" and approval.policy.require_comment_on_rejection and not comments:
        raise CommentRequired

    taken = take(approval, decision, values, content_digest=content_digest)
    said = [vote.comments for vote in taken.approval.votes]
    kept = kept_comment(room_for_comments(approval), said, comments)
    vote = Vote(actor.name, actor.identity, decision, kept, on_record(now), taken.input)
    voted = replace(taken.approval, votes=(*taken.approval.votes, vote))
    outcome = _evaluate(voted)
    details = {"decision": decision, "comments": comments, **taken.details, **actor.vouched}
    if outcome == "approved" and voted.turn.stage < len(voted.policy.stages):
        return open_stage(voted, actor, now=now, details=details)
    if outcome == "pending":
        return with_event(voted, "voted", actor, now, details)
    return end(voted, outcome, actor, comments, now=now, details=details)


def _check_may_answer(approval: Approval, actor: Actor, earlier: Vote | None) -> None:
    """Who has answered was let in then, and may not be asked any more."""
    if earlier:
        check_identity(approval, actor)
    else:
        check_may_decide(approval, actor)


def retract(approval: Approval, actor: Actor, *, now: datetime) -> Transition | None:
    """Take one's own vote back, or None when there is none to take back.

    That is possible until the votes of the stage are enough: then they have been acted on.

    Raises:
        AlreadyDecided, ApprovalExpired: there is nothing to answer any more.
        Forbidden: the vote has opened the next stage.
    """
    check_open(approval, now=now)
    vote = approval.vote_of(actor.name)
    if vote is None:
        return None
    if vote not in approval.votes_now:
        raise Forbidden("the next stage has begun on this vote: it cannot be taken back any more")
    check_identity(approval, actor)
    left = tuple(each for each in approval.votes if each is not vote)
    details = {"retracted": vote.decision, **actor.vouched}
    return with_event(replace(approval, votes=left), "retracted", actor, now, details)


def open_stage(
    voted: Approval, actor: Actor, *, now: datetime, details: Mapping[str, Any]
) -> Transition:
    """Ask the people of the next stage, by the vote that was enough for the one before.

    Args:
        voted: the record with that vote.
        actor: whose vote it is.
        now: the time.
        details: of the vote.
    """
    now = on_record(now)
    turn = Turn(
        stage=voted.turn.stage + 1,
        since=voted.audit_sequence + 1,
        opened_at=now,
        passed=(*voted.turn.passed, len(voted.votes)),
    )
    timeout = voted.policy.stages[turn.stage - 1].timeout or timedelta(0)
    opened = replace(voted, turn=turn, expires_at=on_record(now + timeout))
    changed = {
        **details,
        "stage": turn.stage,
        "to": list(opened.deciders),
        "released": list(may_still_answer(voted)),
        "expired_at": isoformat(voted.expires_at),
        "expires_at": isoformat(opened.expires_at),
    }
    return with_event(opened, "stage_opened", actor, now, changed)


def may_still_answer(approval: Approval) -> tuple[str, ...]:
    """The people whose answer a request takes until its expiry; none where anyone may answer."""
    if not approval.pending:
        return ()
    answered = {text.person_key(vote.approver) for vote in approval.votes}
    return tuple(name for name in approval.deciders if text.person_key(name) not in answered)


def tally(approval: Approval) -> list[tuple[GroupQuorum, int]]:
    """The groups of the open stage's quorum, and how many approvals each has."""
    names = [
        place_of(vote.approver, approval.turn)
        for vote in approval.votes_now
        if vote.decision == "approved"
    ]
    anywhere = escalated(approval.policy, approval.turn)
    return [(group, votes_of(group, names, anywhere)) for group in approval.quorum.groups]


def _evaluate(approval: Approval) -> Status:
    """What the votes of the open stage amount to, counting people, not votes."""
    by_decision: dict[Decision, dict[str, str]] = {"approved": {}, "rejected": {}}
    for vote in approval.votes_now:
        by_decision[vote.decision][text.person_key(vote.approver)] = vote.approver
    left = may_still_answer(approval) if approval.asked else None
    return approval.policy.outcome(
        [place_of(name, approval.turn) for name in by_decision["approved"].values()],
        rejections=len(by_decision["rejected"]),
        left=None if left is None else [place_of(name, approval.turn) for name in left],
        needed=approval.approvals_needed,
        quorum=approval.quorum,
        anywhere=escalated(approval.policy, approval.turn),
    )
