"""Whose turn it is, as callers see it: the stages, the escalation's steps and who took a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hitl_approval.domain.approval import Approval, Vote
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.escalation import escalates_at
from hitl_approval.domain.stage import Escalate
from hitl_approval.domain.turn import Turn

NOT_ASKED = "not_asked"
"""State of a stage that has not begun."""


def whose_turn(approval: Approval) -> dict[str, Any]:
    """The stages, the escalation and the hand-overs as JSON values; what is not used is absent."""
    said = {
        "stages": _stages(approval),
        "escalation": _escalation(approval),
        "handed_over": [{"from": giver, "to": taker} for giver, taker in approval.turn.handed_over],
    }
    return {name: value for name, value in said.items() if value}


def votes_by_stage(approval: Approval) -> list[tuple[Vote, ...]]:
    """The votes of each stage that has begun, in order."""
    ends = (*approval.turn.passed, len(approval.votes))
    starts = (0, *approval.turn.passed)
    return [approval.votes[start:end] for start, end in zip(starts, ends, strict=True)]


def next_step(approval: Approval) -> tuple[datetime, Escalate] | None:
    """The next step of the escalation and when it is due; None when none comes."""
    due = escalates_at(approval)
    return None if due is None else (due, approval.policy.escalation[approval.turn.escalations])


def _stages(approval: Approval) -> list[dict[str, Any]]:
    """Each stage: who is asked in it, how many must approve, how it stands, and who has voted."""
    if not approval.policy.stages:
        return []
    votes = votes_by_stage(approval)
    stages = []
    for number in range(len(approval.policy.stages) + 1):
        is_open = number == approval.turn.stage
        at = approval if is_open else replace(approval, turn=Turn(stage=number))
        seconds = approval.policy.stages[number - 1].timeout if number else None
        begun = number < len(votes)
        stages.append(
            {
                "approvers": list(at.deciders),
                "quorum_needed": at.approvals_needed,
                **({"timeout_seconds": int(seconds.total_seconds())} if seconds else {}),
                "state": approval.status if is_open else ("approved" if begun else NOT_ASKED),
                "votes": [
                    {"approver": vote.approver, "decision": vote.decision}
                    for vote in (votes[number] if begun else ())
                ],
            }
        )
    return stages


def _escalation(approval: Approval) -> list[dict[str, Any]]:
    """Each step: whom it asks, and when it is due or was taken in the stage that is open."""
    steps = []
    for number, step in enumerate(approval.policy.escalation):
        taken = number < approval.turn.escalations
        due = approval.asked_at + step.after
        comes = taken or (approval.pending and due < approval.expires_at)
        steps.append(
            {
                "to": list(step.to),
                "mode": step.mode,
                "after_seconds": int(step.after.total_seconds()),
                "due_at": isoformat(due) if comes else None,
                "taken": taken,
            }
        )
    return steps
