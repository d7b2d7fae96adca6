"""One execution of a durable function on AWS's local runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from hitl_approval.contract import MAX_EXECUTION_SECONDS

UNFINISHED = frozenset({OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY})
WITHOUT_TIMEOUT = timedelta(seconds=MAX_EXECUTION_SECONDS)
"""How long a callback waits that has no timeout of its own: as long as its execution lasts."""


class _Watched:
    """A handler that knows how often it was called, and how many calls are at work."""

    def __init__(self, handler: Callable[[Any, Any], Any]) -> None:
        self._handler = handler
        self.invocations = self.running = 0

    def __call__(self, event: Any, context: Any) -> Any:
        self.invocations += 1
        self.running += 1
        try:
            return self._handler(event, context)
        finally:
            self.running -= 1


class LocalExecution:
    """What a durable function does, seen from outside, and the timeouts of its callbacks.

    Make it inside `virtual_time`, and close it.

    Args:
        handler: decorated with `@durable_execution`.
    """

    def __init__(self, handler: Callable[[Any, Any], Any]) -> None:
        self._watched = _Watched(handler)
        self.runner = DurableFunctionTestRunner(self._watched, poll_interval=0.01)
        self.arn = ""

    def start(self, event: Any, name: str = "execution") -> None:
        """Start it; returns at once.

        Args:
            event: JSON values.
            name: of the execution.
        """
        self.arn = self.runner.run_async(
            json.dumps(event), execution_timeout=MAX_EXECUTION_SECONDS, execution_name=name
        )

    def close(self) -> None:
        """Stop the runner's threads."""
        self.runner.close()  # type: ignore[no-untyped-call]

    @property
    def invocations(self) -> int:
        """How often the function was invoked."""
        return self._watched.invocations

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return bool(self._record.is_complete)

    @property
    def updates(self) -> Sequence[Any]:
        """What the function has checkpointed."""
        return list(self._record.updates)

    def operations(self) -> Sequence[Any]:
        """Its durable operations, in the order in which they began."""
        return [
            operation
            for operation in self._record.operations
            if operation.operation_type is not OperationType.EXECUTION
        ]

    def callbacks(self) -> Sequence[Any]:
        """The callbacks that it is suspended on; none while it goes on by itself, or has ended."""
        if self.done or self._watched.running or self._record.has_unseen_changes():
            return []
        unfinished = [o for o in self.operations() if o.status in UNFINISHED]
        waits_for = {OperationType.CALLBACK, OperationType.CONTEXT}  # of branches, one each
        if any(operation.operation_type not in waits_for for operation in unfinished):
            return []
        return [o for o in unfinished if o.operation_type is OperationType.CALLBACK]

    def times_out_at(self, callback: Any) -> datetime:
        """When a callback's timeout passes."""
        update = next(u for u in self.updates if u.operation_id == callback.operation_id)
        options: Any = update.callback_options
        seconds = options.timeout_seconds if options else 0
        began: datetime = callback.start_timestamp
        return began + (timedelta(seconds=seconds) if seconds else WITHOUT_TIMEOUT)

    def time_out(self, callback: Any) -> None:
        """Let a callback's timeout pass now, whatever time it is."""
        self.runner._executor._on_callback_timeout(self.arn, callback.callback_details.callback_id)

    @property
    def _record(self) -> Any:
        return self.runner._store.load(self.arn)
