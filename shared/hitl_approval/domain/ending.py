"""How a request ends, and what is answered to who comes after that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import SYSTEM, Actor, isoformat, on_record
from hitl_approval.domain.errors import AlreadyDecided, ApprovalExpired
from hitl_approval.domain.permission import check_may_withdraw


def expire(approval: Approval, *, now: datetime) -> Transition | None:
    """Close an approval whose time has passed, or None while it has not."""
    if not approval.pending or now < approval.expires_at:
        return None
    details = {"reason": "nobody decided in time"}
    return end(approval, approval.policy.on_timeout.status, SYSTEM, "", now=now, details=details)


def follow_rule(approval: Approval, *, now: datetime) -> Transition | None:
    """End an approval as the rule says that it was asked under, or None where people decide."""
    rule = approval.rule
    if rule is None or rule.end is None or not approval.pending or now >= approval.expires_at:
        return None
    return end(approval, rule.end, rule.actor, "", now=now, details={"rule": rule.to_dict()})


def cancel(
    approval: Approval,
    actor: Actor,
    comments: str,
    *,
    now: datetime,
    operators: Sequence[str] = (),
) -> Transition | None:
    """Withdraw a request, or None when it is withdrawn already.

    Args:
        approval: the record.
        actor: who wants it: the requester, the system for the workflow, or an operator.
        comments: why.
        now: the time.
        operators: who may withdraw any request.

    Raises:
        AlreadyDecided: a decision came first.
        ApprovalExpired: the time to decide has passed.
        Forbidden: this person may not withdraw it.
    """
    if approval.status == "cancelled":
        return None
    check_open(approval, now=now)
    check_may_withdraw(approval, actor, operators)
    details = {"comments": comments, **actor.vouched}
    return end(approval, "cancelled", actor, comments, now=now, details=details)


def end(
    approval: Approval,
    status: Literal["approved", "rejected", "timeout", "cancelled"],
    actor: Actor,
    comments: str,
    *,
    now: datetime,
    details: Mapping[str, Any],
) -> Transition:
    """End a request: its last transition."""
    decided = replace(
        approval,
        status=status,
        decided_by=actor.name,
        comments=comments,
        decided_at=on_record(now),
    )
    return with_event(decided, status, actor, now, details)


def check_open(approval: Approval, *, now: datetime) -> None:
    """Raise `AlreadyDecided` or `ApprovalExpired` where there is nothing to answer any more."""
    if not approval.pending:
        raise closed(approval)
    if now >= approval.expires_at:
        raise expired(approval)


def closed(approval: Approval) -> AlreadyDecided | ApprovalExpired:
    """What is answered to who comes after the end of a request."""
    if approval.status == "timeout":
        return expired(approval)
    decided_at = isoformat(approval.decided_at) if approval.decided_at else None
    return AlreadyDecided(
        f"already {approval.status} by {approval.decided_by} at {decided_at}",
        status=approval.status,
        decided_by=approval.decided_by,
        decided_at=decided_at,
    )


def expired(approval: Approval) -> ApprovalExpired:
    """What is answered to who comes after the time to decide."""
    expires_at = isoformat(approval.expires_at)
    return ApprovalExpired(f"expired at {expires_at}", expires_at=expires_at)
