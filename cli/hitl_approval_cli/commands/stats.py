"""`hitl stats`: how many approvals there are, and how long people take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.text import spelling
from hitl_approval_cli import clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.named_people import NamedPeople
from hitl_approval_cli.parameters import moment
from hitl_approval_cli.progress import bar
from hitl_approval_cli.times import time_left

NAMED = 3
"""Requests that wait for somebody of which the command that hands them over is shown."""


@connected
def stats(
    to: Connection,
    *,
    since: Annotated[
        str, typer.Option(help="Requested since then: 30d, 12h, or 2026-01-31.")
    ] = "30d",
    approver: Annotated[
        str | None,
        typer.Option(
            help="Only requests that name this person, and what still waits for them: of somebody "
            "who has left, say."
        ),
    ] = None,
) -> None:
    """Count approvals by status, and say how long people took to decide.

    Times are from the request to the approval or rejection, half of them (p50) and nearly all
    (p95) at most so long. Rows that have expired from the table are not counted. What waits for
    --approver is said whenever it was asked, with the command that hands it over.

    Example: hitl stats --since 7d

    Example: hitl stats --approver ann
    """
    began = moment(since)
    wanted = {} if began is None else {"since": isoformat(began)}
    counts: Counter[str] = Counter()
    waited: list[float] = []
    pending: set[str] = set()
    with bar("Counting", "approvals") as advance:
        for status in STATUSES:
            for page in to.deployment.pages(status, **wanted):
                advance(len(page["approvals"]))
                found = [item for item in page["approvals"] if _names(item, approver)]
                counts[status] += len(found)
                if status == "pending":
                    pending |= {item["approval_id"] for item in found}
                if status in {"approved", "rejected"}:
                    waited += map(_decision_seconds, found)
    waiting = None if approver is None else _waiting(to.deployment, approver)
    # A place that was handed over to them is in no request's list of names.
    counts["pending"] += sum(
        one not in pending and (began is None or at >= isoformat(began))
        for one, at in (waiting.pop("made") if waiting else {}).items()
    )
    waited.sort()
    answer = {
        "since": None if began is None else isoformat(began),
        "by_status": {status: counts[status] for status in STATUSES},
        "decision_seconds": {"p50": _at(waited, 0.50), "p95": _at(waited, 0.95)},
        "waiting": waiting,
    }
    to.show(answer, lambda: _show(to.deployment, answer, approver))


def _names(item: Mapping[str, Any], approver: str | None) -> bool:
    """Whether a request names this person; every request does for None."""
    names = item.get("approvers") or ()
    return approver is None or spelling(approver) in map(spelling, names)


def _waiting(deployment: Deployment, approver: str) -> dict[str, Any]:
    """What still waits for one person."""
    found = list(deployment.awaiting(approver))
    return {
        "approver": approver,
        "approvals": len(found),
        "oldest": min((item["created_at"] for item in found), default=None),
        "next_expiry": min((item["expires_at"] for item in found), default=None),
        "approval_ids": [item["approval_id"] for item in found],
        "made": {item["approval_id"]: item["created_at"] for item in found},
    }


def _decision_seconds(item: Mapping[str, Any]) -> float:
    return (parse_time(item["decided_at"]) - parse_time(item["created_at"])).total_seconds()


def _at(ordered: list[float], share: float) -> float | None:
    """The smallest that at least this share of them is not above; None of nothing."""
    if not ordered:
        return None
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _show(deployment: Deployment, answer: Mapping[str, Any], approver: str | None) -> None:
    """How many approvals there are, and how long people take."""
    if approver is not None:
        output.line(f"Requests that name {approver}:")
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("STATUS")
    table.add_column("APPROVALS", justify="right")
    for name, count in answer["by_status"].items():
        table.add_row(output.status(name), str(count))
    output.out.print(table)
    taken = answer["decision_seconds"]
    if taken["p50"] is None:
        output.line(f"Nothing in {deployment.stack} was decided by people.")
    else:
        p50, p95 = (_length(taken[share]) for share in ("p50", "p95"))
        count = answer["by_status"]["approved"] + answer["by_status"]["rejected"]
        how = f"half within {p50} (p50), nearly all within {p95} (p95), of {count} decisions"
        output.out.print(
            f"Time to decision: {p50}, of 1 decision" if count == 1 else f"Time to decision: {how}"
        )
    if answer["waiting"] is not None:
        _show_waiting(deployment, answer["waiting"])


def _show_waiting(deployment: Deployment, waiting: Mapping[str, Any]) -> None:
    """How many requests wait for one person, since when, and how to hand them over."""
    name, count = waiting["approver"], waiting["approvals"]
    if not count:
        known = NamedPeople.find(deployment)
        whom = ", whom it does not name" if known and known.unknown([name]) else ""
        output.line(f"Nothing in {deployment.stack} waits for {name}{whom}.")
        return
    oldest = clock.now() - parse_time(waiting["oldest"])
    output.out.print(
        f"{count} {'waits' if count == 1 else 'wait'} for {output.safe(name)}, the oldest for "
        f"{_length(oldest.total_seconds())}; the next to expire has "
        f"{time_left(waiting['next_expiry'])}.",
        soft_wrap=True,
    )
    for approval_id in waiting["approval_ids"][:NAMED]:
        command = deployment.command(
            "reassign", approval_id, "--from", name, "--to", "COLLEAGUE", "--as", "OPERATOR"
        )
        output.line(f"  {command}")
    named = NamedPeople.find(deployment)
    if named:
        output.line(
            f"  COLLEAGUE (not asked yet) and OPERATOR are of this deployment: {named.in_words}"
        )
    if count > NAMED:
        every = deployment.command("inbox", "--mine", "--as", name)
        output.line(f"  and {count - NAMED} more: {every}")


def _length(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else "1 s"
