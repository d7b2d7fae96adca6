"""How a vote is cast, and what the votes amount to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

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
from hitl_approval.domain.ending import closed, end, expired
from hitl_approval.domain.errors import (
    AlreadyDecided,
    CommentRequired,
    ContentChanged,
    Forbidden,
)
from hitl_approval.domain.permission import check_may_decide


def cast_vote(
    approval: Approval,
    actor: Actor,
    decision: Decision,
    comments: str,
    *,
    now: datetime,
    content_digest: str | None = None,
) -> Transition | None:
    """Answer: the vote, and the decision if the policy is satisfied by it.

    Returns:
        The transition to commit, or None when this person has already voted the same way.

    Raises:
        AlreadyDecided: another decision, or the caller's own opposite vote, came first.
        ApprovalExpired: the time to decide has passed.
        Forbidden: the policy does not let this person decide.
        ContentChanged: the caller saw something else than what stands on record.
        CommentRequired: a rejection without the comment that the policy demands.
    """
    earlier = approval.vote_of(actor.name)
    alike = vote_by(approval.votes, actor.name, text.person_key)
    if not approval.pending:
        if approval.status != "timeout" and earlier and earlier.decision == decision:
            return None
        raise closed(approval)
    if now >= approval.expires_at:
        raise expired(approval)
    check_may_decide(approval, actor)
    if content_digest is not None and content_digest != approval.content_digest:
        raise ContentChanged(
            "the request is not the one that was shown: read it again",
            content_digest=approval.content_digest,
        )
    if earlier:
        if earlier.decision == decision:
            return None
        raise AlreadyDecided(
            f"{earlier.approver} has already {earlier.decision} this request",
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

    vote = Vote(actor.name, actor.identity, decision, comments, on_record(now))
    voted = replace(approval, votes=(*approval.votes, vote))
    outcome = _evaluate(voted)
    details = {"decision": decision, "comments": comments, **actor.vouched}
    if outcome == "pending":
        return with_event(voted, "voted", actor, now, details)
    return end(voted, outcome, actor, comments, now=now, details=details)


def _evaluate(approval: Approval) -> Status:
    """What the votes amount to, counting people, not votes."""
    by_decision: dict[Decision, set[str]] = {"approved": set(), "rejected": set()}
    for vote in approval.votes:
        by_decision[vote.decision].add(text.person_key(vote.approver))
    return approval.policy.outcome(
        approval.deciders,
        approvals=len(by_decision["approved"]),
        rejections=len(by_decision["rejected"]),
    )
