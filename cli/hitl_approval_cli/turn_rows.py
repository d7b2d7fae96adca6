"""Whose turn it is, as `hitl show` says it: stages, the escalation's steps, who took a place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.domain.text import listed
from hitl_approval.domain.whose_turn import NOT_ASKED
from hitl_approval_cli import output
from hitl_approval_cli.times import local_time, time_left


def rows(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of an approval's table; none where it has no such thing.

    Args:
        item: the approval, as `domain.view` writes it.
    """
    stages = item.get("stages", [])
    pending = item["status"] == "pending"
    return [
        *(
            (f"Stage {number} of {len(stages)}", _stage(stage, pending=pending))
            for number, stage in enumerate(stages, start=1)
        ),
        *(("Escalation", _step(step)) for step in item.get("escalation", [])),
        *(("Handed over", _handed_over(one)) for one in item.get("handed_over", [])),
    ]


def _handed_over(one: Mapping[str, Any]) -> str:
    """From whom to whom; by whom, where that is known to have been a third person."""
    third = one.get("by") not in {None, one["from"]}
    by = f", by {output.safe(one['by'])}" if third else ""
    return f"from {output.safe(one['from'])} to {output.safe(one['to'])}{by}"


def _stage(stage: Mapping[str, Any], *, pending: bool) -> str:
    names = output.safe(listed(stage["approvers"]))
    needed = stage["quorum_needed"]
    who = f"{names} ({needed} approvals needed)" if needed > 1 else names
    if stage["state"] == NOT_ASKED:
        return f"{who} will be asked" if pending else f"{who} [dim]not asked[/]"
    answered = [vote["approver"] for vote in stage["votes"] if vote["decision"] == stage["state"]]
    by = f" by {output.safe(listed(answered))}" if answered else ""
    return f"{who}: {output.status(stage['state'])}{by}"


def _step(step: Mapping[str, Any]) -> str:
    names = output.safe(listed(step["to"]))
    how = "asked instead" if step["mode"] == "replace" else "asked too"
    if step["taken"]:
        return f"{names} {how}, since {local_time(step['due_at'])}"
    if step["due_at"] is None:
        return f"{names} {how} [dim]not needed[/]"
    due, left = local_time(step["due_at"]), time_left(step["due_at"])
    return (
        f"{names} {how} at {due} ({'due' if left == 'expired' else left.replace('left', 'away')})"
    )
