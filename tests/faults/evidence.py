"""What the checks read: rows as they were at any moment of a schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hitl_approval.domain.audit import SYSTEM
from tests.faults.deployment import APPROVALS_TABLE, Deployment, of_a_request, plain
from tests.faults.dynamodb import Write
from tests.faults.simulator import Wrote

TERMINAL = {"approved", "rejected", "timeout", "cancelled"}

Row = Mapping[str, Any]
Rows = Mapping[str, Row]


def rows_during(deployment: Deployment, written: range) -> Iterator[Rows]:
    """The rows by their id, as they were before these writes and after each of them."""
    writes = [wrote.write for wrote in deployment.world.writes]
    rows: dict[str, Row] = {}
    for write in writes[: written.start]:
        if write.table == APPROVALS_TABLE and of_a_request(write.key):
            rows[_id(write.key)] = write.after
    altered = deployment.altered
    rows = {
        approval_id: plain(row) for approval_id, row in rows.items() if approval_id not in altered
    }
    yield dict(rows)
    for write in writes[written.start : written.stop]:
        if write.table != APPROVALS_TABLE or not of_a_request(write.key):
            continue
        if _id(write.key) not in altered:
            rows[_id(write.key)] = plain(write.after)
            yield dict(rows)


def by_silence(row: Row) -> bool:
    """Whether nobody decided this."""
    return row["status"] in {"timeout", "rejected"} and row.get("decided_by") == SYSTEM.name


def closes(write: Write) -> bool:
    """Whether this ends an approval."""
    if write.table != APPROVALS_TABLE or write.before is None or not write.after:
        return False
    if not of_a_request(write.key):
        return False
    return bool(write.before["status"] != write.after["status"])


def end_of(deployment: Deployment, approval_id: str) -> Wrote:
    """The write of the terminal status."""
    return next(
        w
        for w in deployment.world.writes
        if w.write.table == APPROVALS_TABLE
        and w.write.key == (f"S:{approval_id}",)
        and w.write.after
        and plain(w.write.after)["status"] in TERMINAL
    )


def ended_before(deployment: Deployment, arn: str, step: int) -> bool:
    """Whether an execution had ended, however it did, before this step."""
    ended = deployment.durable.completed_after.get(arn)
    return ended is not None and ended <= step


def _id(key: tuple[str, ...]) -> str:
    return key[0].removeprefix("S:")
