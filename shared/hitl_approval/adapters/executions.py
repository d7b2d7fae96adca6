"""The statuses of a durable execution, as Lambda's API names them."""

from __future__ import annotations

from enum import StrEnum


class ExecutionStatus(StrEnum):
    """`Status` of GetDurableExecution (Lambda API reference, November 2026)."""

    RUNNING = "RUNNING"
    PAUSING = "PAUSING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"
    DELETING = "DELETING"


ENDED = frozenset({
    ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT,
    ExecutionStatus.STOPPED, ExecutionStatus.DELETING,
})  # fmt: skip
"""What never goes on. A paused execution does, and one of an unknown status may."""
HELD = frozenset({ExecutionStatus.PAUSING, ExecutionStatus.PAUSED})
"""Alive, and goes on when somebody resumes it."""
