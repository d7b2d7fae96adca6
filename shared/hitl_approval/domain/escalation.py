"""Escalation: more people are asked, or others, when a stage takes too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import SYSTEM, isoformat
from hitl_approval.domain.text import person_key

SWEEP_GRACE = timedelta(minutes=5)
"""How long a workflow has to act by itself before a sweep does: longer than clocks differ."""


def escalates_at(approval: Approval) -> datetime | None:
    """When the next step of the escalation is due; None when none comes before the expiry."""
    steps = approval.policy.escalation[approval.turn.escalations :]
    if not (steps and approval.pending):
        return None
    due = approval.asked_at + steps[0].after
    return due if due < approval.expires_at else None


def needs_attention_at(approval: Approval) -> datetime:
    """Since when a pending record waits for the sweep, which leaves each `SWEEP_GRACE` more.

    A workflow has that long to note an expiry by itself. An escalation is the sweep's alone, and so
    counts from as much earlier.
    """
    due = escalates_at(approval)
    return approval.expires_at if due is None else due - SWEEP_GRACE


def escalate(approval: Approval, *, now: datetime) -> Transition | None:
    """Take the next step of the escalation, or None while none is due."""
    due = escalates_at(approval)
    if due is None or not due <= now < approval.expires_at:
        return None
    number = approval.turn.escalations + 1
    escalated = replace(approval, turn=replace(approval.turn, escalations=number))
    answered = approval.answered
    before = {person_key(name): name for name in approval.deciders}
    after = {person_key(name): name for name in escalated.deciders}
    details = {
        "escalation": number,
        "to": [name for key, name in after.items() if key not in before.keys() | answered],
        "released": [name for key, name in before.items() if key not in after.keys() | answered],
        "expires_at": isoformat(approval.expires_at),
    }
    return with_event(escalated, "escalated", SYSTEM, now, details)
