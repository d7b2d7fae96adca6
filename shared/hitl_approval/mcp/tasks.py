"""The Tasks extension: a task is a request that waits for people, and its id the approval's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from hitl_approval.domain.audit import parse_time
from hitl_approval.mcp.shown import sentence, tool_result

EXTENSION: Final = "io.modelcontextprotocol/tasks"
_SHORTEST_POLL: Final = timedelta(seconds=5)
_LONGEST_POLL: Final = timedelta(minutes=1)
_POLLS: Final = 1_000
"""Polls of a whole time to decide: an hour is polled as often as a person would."""


def task_of(record: Mapping[str, Any], page: str | None) -> dict[str, Any]:
    """The task of a request, as `tasks/get` has it: completed once people have decided."""
    asked, expires = parse_time(record["created_at"]), parse_time(record["expires_at"])
    votes = [vote["at"] for vote in record.get("votes", ())]
    task: dict[str, Any] = {
        "taskId": record["approval_id"],
        "status": "completed",
        "statusMessage": sentence(record, page),
        "createdAt": record["created_at"],
        "lastUpdatedAt": record["decided_at"] or max(votes, default=record["created_at"]),
        "ttlMs": _milliseconds(expires - asked),
    }
    if record["status"] == "pending":
        poll = min(max((expires - asked) / _POLLS, _SHORTEST_POLL), _LONGEST_POLL)
        return {**task, "status": "working", "pollIntervalMs": _milliseconds(poll)}
    if record["status"] == "cancelled":
        return {**task, "status": "cancelled"}
    return {**task, "result": {"resultType": "complete", **tool_result(record, page)}}


def _milliseconds(time: timedelta) -> int:
    return int(time.total_seconds() * 1_000)
