"""How a vote is cast, and what the votes amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    with_event,
)
from hitl_approval.domain.audit import Actor, isoformat, on_record
from hitl_approval.domain.delegation import Delegation, stand_in
from hitl_approval.domain.ending import check_open, closed, end, expired
from hitl_approval.domain.errors import (
    AlreadyDecided,
    CommentRequired,
    ContentChanged,
    Forbidden,
    RecordFull,
)
from hitl_approval.domain.permission import check_identity, check_may_decide
from hitl_approval.domain.quorum import GroupQuorum, votes_of
from hitl_approval.domain.room import has_room_for_others, kept_comment, room_for_comments
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
    delegations: Sequence[Delegation] = (),
) -> Transition | None:
    """Answer: the vote, and the decision if the policy is satisfied by it.

    Args:
        approval: the record.
        actor: who answers: who is asked, or who stands in for them.
        decision: their answer.
        comments: what they say.
        now: the time.
        content_digest: of what they saw. Default: they do not say.
        values: what they fill in and what they change. Default: nothing.
        delegations: by which they may stand in. Default: none.

    Returns:
        The transition to commit, or None when this person has already voted the same way.

    Raises:
        AlreadyDecided: another decision, or the caller's own opposite vote, came first.
        ApprovalExpired: the time to decide has passed.
        Forbidden: the policy does not let this person decide.
        ContentChanged: the caller saw something else than what stands on record.
        CommentRequired: a rejection without the comment that the policy demands.
        InvalidRequest: values that do not fit; `ValuesRefused` names each.
        RecordFull: the record does not hold the name of who stands in.
    """
    earlier = approval.vote_of(actor.name)
    if not approval.pending:
        counted = approval.status != "timeout" and earlier
        if counted and is_repeated(approval, counted, decision, values):
            return None
        raise closed(approval)
    if now >= approval.expires_at:
        raise expired(approval)
    given = None if earlier else stand_in(approval, actor, delegations, now=now)
    _check_may_answer(approval, actor, known=bool(earlier or given))
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
        raise _answered_by(approval, earlier, otherwise)
    _check_first(approval, actor, given)
    if decision == "rejected" and approval.policy.require_comment_on_rejection and not comments:
        raise CommentRequired

    taken = take(approval, decision, values, content_digest=content_digest)
    said = [vote.comments for vote in taken.approval.votes]
    kept = kept_comment(room_for_comments(approval), said, comments)
    place = given.giver if given else None
    vote = Vote(actor.name, actor.identity, decision, kept, on_record(now), taken.input, place)
    voted = replace(taken.approval, votes=(*taken.approval.votes, vote))
    if given and not has_room_for_others(voted):
        raise RecordFull(given.giver)
    by = {"on_behalf_of": place, "delegation": given.to_dict()} if given else {}
    details = {"decision": decision, "comments": comments, **taken.details, **by, **actor.vouched}
    return replace(_counted(voted, actor, comments, now, details), delegation=given)


def _counted(
    voted: Approval, actor: Actor, comments: str, now: datetime, details: Mapping[str, Any]
) -> Transition:
    """What a vote leads to: a decision, the next stage, or nothing yet."""
    outcome = _evaluate(voted)
    if outcome == "approved" and voted.turn.stage < len(voted.policy.stages):
        return open_stage(voted, actor, now=now, details=details)
    if outcome == "pending":
        return with_event(voted, "voted", actor, now, details)
    return end(voted, outcome, actor, comments, now=now, details=details)


def _check_first(approval: Approval, actor: Actor, given: Delegation | None) -> None:
    """Whether nobody has answered in the place that this person answers in.

    Raises:
        AlreadyDecided: somebody has, by a delegation or before it.
        Forbidden: somebody has whose name looks the same.
    """
    mine = {text.person_key(actor.name), text.person_key(given.giver if given else actor.name)}
    for vote in approval.votes:
        if mine.isdisjoint({text.person_key(vote.approver), text.person_key(vote.asked)}):
            continue
        if given or vote.on_behalf_of:
            raise _answered_by(approval, vote)
        raise Forbidden(
            f"{vote.approver}, whose name looks the same, has already answered this request"
        )


def _answered_by(approval: Approval, vote: Vote, otherwise: str = "") -> AlreadyDecided:
    what = (f"for {vote.on_behalf_of}" if vote.on_behalf_of else "this request") + otherwise
    return AlreadyDecided(
        f"{vote.approver} has already {vote.decision} {what}",
        status=approval.status,
        decided_by=vote.approver,
        decided_at=isoformat(vote.at),
    )


def _check_may_answer(approval: Approval, actor: Actor, *, known: bool) -> None:
    """Who has answered was let in then, and may not be asked any more; who stands in is not."""
    if known:
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
    answered = approval.answered
    return tuple(name for name in approval.deciders if text.person_key(name) not in answered)


def tally(approval: Approval) -> list[tuple[GroupQuorum, int]]:
    """The groups of the open stage's quorum, and how many approvals each has."""
    names = [
        place_of(vote.asked, approval.turn)
        for vote in approval.votes_now
        if vote.decision == "approved"
    ]
    anywhere = escalated(approval.policy, approval.turn)
    return [(group, votes_of(group, names, anywhere)) for group in approval.quorum.groups]


def _evaluate(approval: Approval) -> Status:
    """What the votes of the open stage amount to, counting people, not votes."""
    by_decision: dict[Decision, dict[str, str]] = {"approved": {}, "rejected": {}}
    for vote in approval.votes_now:
        by_decision[vote.decision][text.person_key(vote.asked)] = vote.asked
    left = may_still_answer(approval) if approval.asked else None
    return approval.policy.outcome(
        [place_of(name, approval.turn) for name in by_decision["approved"].values()],
        rejections=len(by_decision["rejected"]),
        left=None if left is None else [place_of(name, approval.turn) for name in left],
        needed=approval.approvals_needed,
        quorum=approval.quorum,
        anywhere=escalated(approval.policy, approval.turn),
    )
