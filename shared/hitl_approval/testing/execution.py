"""One execution of a durable function on AWS's local runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import OperationStatus, OperationType
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.worker.checkpoint_tasks import CallableTask
from aws_durable_execution_sdk_python_testing.worker.status import InvocationState

from hitl_approval.contract import MAX_EXECUTION_SECONDS

UNFINISHED = frozenset({OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY})
CALLBACKS = frozenset({OperationType.CALLBACK})
WITHOUT_TIMEOUT = timedelta(seconds=MAX_EXECUTION_SECONDS)
"""How long a callback waits that has no timeout of its own: as long as its execution lasts."""


class LocalExecution:
    """What a durable function does, seen from outside, and the timeouts of its callbacks.

    Make it inside `virtual_time`, and close it.

    Attributes:
        invocations: how often the function was invoked.

    Args:
        handler: decorated with `@durable_execution`.
    """

    def __init__(self, handler: Callable[[Any, Any], Any]) -> None:
        self.runner = DurableFunctionTestRunner(handler, poll_interval=0.01)
        self.arn = ""
        self.invocations = 0
        self._given = 0
        invoker: Any = self.runner._invoker
        self._create_input = invoker.create_invocation_input
        invoker.create_invocation_input = self._note_input

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
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return bool(self._record.is_complete)

    @property
    def outcome(self) -> Any:
        """The status, result and error with which it has ended; None before."""
        return self._record.result

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

    def waits(self) -> Sequence[Any]:
        """All that it is suspended on: callbacks, waits, and steps to be tried again.

        None while it goes on by itself, or has ended.
        """
        at_work = self.runner._executor._invocation_gate(self.arn) is InvocationState.INVOKING
        if self.done or at_work or self._has_news():
            return []
        unfinished = [
            operation
            for operation in self.operations()
            if operation.status in UNFINISHED
            and operation.operation_type is not OperationType.CONTEXT  # of branches, one each
        ]
        if any(_goes_on_at(o) is None and o.operation_type not in CALLBACKS for o in unfinished):
            return []
        return unfinished

    def callbacks(self) -> Sequence[Any]:
        """The callbacks that it is suspended on; none while anything else goes on or is timed."""
        waits = self.waits()
        return waits if all(o.operation_type in CALLBACKS for o in waits) else []

    def goes_on_at(self, wait: Any) -> datetime:
        """When time alone ends one of `waits`: a callback by its timeout, a timer by itself."""
        return _goes_on_at(wait) or self.times_out_at(wait)

    def let_pass(self, wait: Any) -> None:
        """Let the time of one of `waits` pass, whose clock says that it has."""
        if wait.operation_type in CALLBACKS:
            self.time_out(wait)
        else:
            # In the execution's own queue: behind the end of the invocation that began the timer.
            executor = self.runner._executor
            again = CallableTask(lambda: executor._schedule_earliest_pending(self.arn))
            executor._registry.submit(self.arn, again).result()

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

    def _note_input(self, execution: Any) -> Any:
        self.invocations += 1
        self._given = execution.seq_counter
        return self._create_input(execution=execution)

    def _has_news(self) -> bool:
        """Whether something has changed that no invocation was given: one is about to begin."""
        record = self._record
        return bool(record.has_changes_after(max(self._given, record.handler_seen_seq)))

    @property
    def _record(self) -> Any:
        return self.runner._store.load(self.arn)


def _goes_on_at(operation: Any) -> datetime | None:
    """When a timer is due; None for what is no timer, or one that has passed."""
    if operation.operation_type is OperationType.WAIT and operation.wait_details:
        due: datetime | None = operation.wait_details.scheduled_end_timestamp
        return due
    if operation.status is OperationStatus.PENDING and operation.step_details:
        again: datetime | None = operation.step_details.next_attempt_timestamp
        return again
    return None
