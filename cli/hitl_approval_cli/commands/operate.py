"""`hitl resume`, `hitl stats`: what operators do and count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import Id, moment
from hitl_approval_cli.progress import bar
from hitl_approval_cli.short_ids import ask_about


@connected
def resume(to: Connection, *, approval_id: Id) -> None:
    """Wake the workflow of a decided approval again, should it not have heard.

    Writes nothing: the workflow reads the decision from the record. It also hears by itself, at
    its next look or the next sweep.

    Example: hitl resume 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = ask_about(to.deployment, {"action": "resume", "approval_id": approval_id})
    told = {name: answer[name] for name in ("approval_id", "status", "workflow")}
    to.show(told, lambda: output.decided(answer))


@connected
def stats(
    to: Connection,
    *,
    since: Annotated[str, typer.Option(help="Asked since then: 30d, 12h, or 2026-01-31.")] = "30d",
) -> None:
    """Count approvals by status, and say how long people took to decide.

    Times are from the request to the approval or rejection, half of them (p50) and nearly all
    (p95) at most so long. Rows that have expired from the table are not counted.

    Example: hitl stats --since 7d
    """
    began = moment(since)
    wanted = {} if began is None else {"since": isoformat(began)}
    counts: Counter[str] = Counter()
    waited: list[float] = []
    with bar("Counting", "approvals") as advance:
        for status in STATUSES:
            for page in to.deployment.pages(status, **wanted):
                advance(len(page["approvals"]))
                counts[status] += len(page["approvals"])
                if status in {"approved", "rejected"}:
                    waited += map(_decision_seconds, page["approvals"])
    waited.sort()
    answer = {
        "since": None if began is None else isoformat(began),
        "by_status": {status: counts[status] for status in STATUSES},
        "decision_seconds": {"p50": _at(waited, 0.50), "p95": _at(waited, 0.95)},
    }
    to.show(answer, lambda: output.stats(answer))


def _decision_seconds(item: Mapping[str, Any]) -> float:
    return (parse_time(item["decided_at"]) - parse_time(item["created_at"])).total_seconds()


def _at(ordered: list[float], share: float) -> float | None:
    """The smallest that at least this share of them is not above; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
