"""AWS's local durable runner in virtual time: no timer of a step or a wait is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from unittest.mock import patch

import aws_durable_execution_sdk_python.state as sdk_state
import aws_durable_execution_sdk_python_testing.runner as sdk_runner
from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException

from hitl_approval.ports import Completed

PATIENCE = 20.0
"""Seconds of real time that a run may take to get anywhere."""

UNFINISHED = frozenset({OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY})


class VirtualClock:
    """One time for the engine and for us: timers of steps and waits are skipped over."""

    def __init__(self) -> None:
        self._moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
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


class Watched:
    """A handler that knows how often it was called, and how many calls are at work."""

    def __init__(self, handler: Callable[[Any, Any], Any]) -> None:
        self._handler = handler
        self.invocations = self.running = 0

    def __call__(self, event: Any, context: Any) -> Any:
        """One invocation."""
        self.invocations += 1
        self.running += 1
        try:
            return self._handler(event, context)
        finally:
            self.running -= 1


class RunnerCallbackClient:
    """Rings the callbacks of local runners."""

    def __init__(self) -> None:
        self.runners: list[DurableFunctionTestRunner] = []
        self.rings = 0

    def complete(self, callback_id: str) -> Completed:
        """See `ports.CallbackClient.ring`."""
        self.rings += 1
        for runner in self.runners:
            try:
                runner.send_callback_success(callback_id)
            except ResourceNotFoundException:
                continue
            return "resumed"
        return "already_running"


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """Let the runners that are made inside keep this clock's time, and stop without delay."""
    with (
        patch.object(sdk_state, "_STOP_SIGNAL_POLL_SECONDS", 0.0005),
        patch.object(sdk_runner, "SkipClock", lambda: clock),
    ):
        yield


def operations(runner: DurableFunctionTestRunner, arn: str) -> Sequence[Any]:
    """The durable operations of an execution, in the order in which they began."""
    return [
        operation
        for operation in runner._store.load(arn).operations
        if operation.operation_type is not OperationType.EXECUTION
    ]


def callback_timeout(runner: DurableFunctionTestRunner, arn: str, callback: Any) -> timedelta:
    """How long a callback was armed for."""
    updates = runner._store.load(arn).updates
    update = next(u for u in updates if u.operation_id == callback.operation_id)
    options: Any = update.callback_options
    return timedelta(seconds=options.timeout_seconds)


def fire_callback_timeout(runner: DurableFunctionTestRunner, arn: str, callback: Any) -> None:
    """Let a callback's timeout pass now, whatever time it is."""
    runner._executor._on_callback_timeout(arn, callback.callback_details.callback_id)


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
