"""The promise to those who read: what they are shown was so while they asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.faults.deployment import Answer, Deployment
from tests.faults.evidence import Row, Rows, rows_during

SHOWN = ("status", "decided_by", "decided_at", "votes", "comments", "approvers", "expires_at")


def readers_see_what_was(deployment: Deployment) -> Iterator[str]:
    """10. `get`, `list` and `history` show what was committed while they were asked."""
    for answer in deployment.answers:
        if answer.status != 200 or "action" not in answer.payload:
            continue
        states = list(rows_during(deployment, answer.written))
        match answer.payload["action"]:
            case "get":
                yield from _got(answer, states)
            case "list":
                yield from _listed(answer, states)
            case "history":
                yield from _audited(deployment, answer, states)


def _got(answer: Answer, states: Sequence[Rows]) -> Iterator[str]:
    shown = _shown(answer.body)
    if all(shown != _shown(rows.get(answer.body["approval_id"], {})) for rows in states):
        yield f"{answer.actor} was shown a {answer.body['status']} one that never was"


def _listed(answer: Answer, states: Sequence[Rows]) -> Iterator[str]:
    status = answer.payload["status"]
    listed = {item["approval_id"] for item in answer.body["approvals"]}
    having = [{i for i, row in rows.items() if row["status"] == status} for rows in states]
    for approval_id in listed - having[0].union(*having):
        yield f"{answer.actor} was shown {approval_id} as {status}, which it was not"
    for approval_id in having[0].intersection(*having) - listed:
        yield f"{answer.actor} was not shown {approval_id}, which was {status}"


def _audited(deployment: Deployment, answer: Answer, states: Sequence[Rows]) -> Iterator[str]:
    approval_id, events = answer.body["approval_id"], answer.body["events"]
    if not answer.body["verified"]:
        yield f"{answer.actor} was answered that the audit is not whole: {answer.body['findings']}"
    if events != deployment.events(approval_id)[: len(events)]:
        yield f"{answer.actor} was shown events that are not on record"
    counts = [rows[approval_id]["audit_sequence"] for rows in states if approval_id in rows]
    if len(events) not in counts:
        yield f"{answer.actor} was shown {len(events)} events, there were {counts}"


def _shown(row: Row) -> list[object]:
    return [row.get(name) for name in SHOWN]
