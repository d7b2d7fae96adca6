"""AWS's local durable runner in virtual time, in which nothing is really waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from unittest.mock import patch

import aws_durable_execution_sdk_python.state as sdk_state
import aws_durable_execution_sdk_python_testing.executor as sdk_executor
import aws_durable_execution_sdk_python_testing.runner as sdk_runner
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException

from hitl_approval.ports.outside import Completed

PATIENCE = 20.0
"""Seconds of real time that a run may take to get anywhere."""
NEVER = timedelta(days=366).total_seconds()
"""Seconds of real time after which a timer of a `StandingClock` would go off by itself."""


class VirtualClock:
    """One time for the engine and for us, which leaps to the next timer of a step or a wait."""

    FIRST = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __init__(self) -> None:
        self._moment = self.FIRST
        self._lock = Lock()

    def now(self) -> datetime:
        """The current moment; every read is distinct, as the engine asks."""
        with self._lock:
            self._moment += timedelta(microseconds=1)
            return self._moment

    def arm(self, wake: datetime) -> float:
        """The engine's own: seconds until a timer is due. None ever waits."""
        with self._lock:
            self._moment = max(self._moment, wake)
        return 0.0

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._moment += delta

    def pause(self, attempt: int) -> None:  # noqa: ARG002  a port's signature
        """See `ports.Clock.pause`."""
        self.advance(timedelta(milliseconds=20))


class StandingClock(VirtualClock):
    """Time that only `advance` moves: it does not leap to a timer.

    It begins later than any real time. The SDK compares when a step is tried again with the real
    time, and would ask for a retry again and again that is due for it and not for us.
    """

    FIRST = datetime(2100, 1, 1, tzinfo=UTC)

    def arm(self, wake: datetime) -> float:
        """The engine's own: what is not due yet waits until it is scheduled anew."""
        with self._lock:
            return 0.0 if max(self._moment, wake) == self._moment else NEVER


class RunnerCallbackClient:
    """Completes the callbacks of local runners."""

    def __init__(self) -> None:
        self.runners: list[DurableFunctionTestRunner] = []
        self.calls = 0

    def complete(self, callback_id: str) -> Completed:
        """See `ports.CallbackClient.complete`."""
        self.calls += 1
        for runner in self.runners:
            try:
                runner.send_callback_success(callback_id)
            except ResourceNotFoundException:
                continue
            return "resumed"
        return "already_running"


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """Let the runners that are made inside keep this clock's time, and stop without delay.

    The timeout of a callback passes when `LocalExecution.time_out` says so, and never by itself.
    """
    with (
        patch.object(sdk_state, "_STOP_SIGNAL_POLL_SECONDS", 0.0005),
        patch.object(sdk_runner, "SkipClock", lambda: clock),
        patch.object(sdk_executor.Executor, "_schedule_callback_timeouts", lambda *_: None),
    ):
        yield


def eventually(condition: Callable[[], Any], what: str = "progress") -> Any:
    """Wait for another thread to make the condition true; returns its value.

    Raises:
        AssertionError: it did not within `PATIENCE`.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.002)
    msg = f"within {PATIENCE:.0f} s there was no {what}"
    raise AssertionError(msg)
