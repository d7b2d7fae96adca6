"""The durable service: AWS's own execution model and checkpoint processor, on the world's clock.

A step's START is sent by the SDK when it gets round to it: here with the step's result in one
checkpoint or, as a choice, by itself, after which the process dies before the step's body runs.
Simplified, towards fewer schedules and not fewer faults: an invocation that dies is repeated a
second later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    ErrorObject,
    InvocationStatus,
    OperationStatus,
    OperationType,
    OperationUpdate,
)
from aws_durable_execution_sdk_python.state import ExecutionState, QueuedOperation, _Signal
from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.exceptions import InvalidParameterValueException
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.invoker import create_test_lambda_context
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.observer import ExecutionObserver

from tests.faults.dynamodb import client_error
from tests.faults.simulator import (
    COMPLETE_CALLBACK,
    Actor,
    Call,
    Footprint,
    Killed,
    ProcessDied,
    World,
)

Handler = Callable[[Any, Any], Mapping[str, Any]]

RETRY = timedelta(seconds=1)
CHECKPOINT_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "slow")
CALLBACK_FAULTS = ("fail", "lost", "twice", "dies-before", "dies-after", "slow", "echo")
_CONTEXT = create_test_lambda_context()


def arn_of(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:123456789012:function:workflow:1/durable-execution/{name}/1"


def footprint(arn: str) -> Footprint:
    return frozenset({(f"execution {arn}", True)})


@dataclass
class DurableService(ExecutionObserver):
    """Executions, their timers and their callbacks."""

    world: World
    executions: dict[str, Execution] = field(default_factory=dict)
    deadlines: dict[str, datetime] = field(default_factory=dict)
    """When each open callback times out."""
    due: dict[str, datetime] = field(default_factory=dict)
    """When an execution must be invoked again, whatever else happens."""
    completed_at: dict[str, datetime] = field(default_factory=dict)
    completed_after: dict[str, int] = field(default_factory=dict)
    """How many steps had been made when an execution ended."""
    stopped: set[str] = field(default_factory=set)
    """Executions that an operator has stopped."""
    pauses: dict[str, datetime] = field(default_factory=dict)
    """Executions that are paused, and since when."""
    rested: timedelta = timedelta(0)
    """How long executions were paused."""

    def __post_init__(self) -> None:
        self.processor = CheckpointProcessor(self, None, self)  # type: ignore[arg-type]
        self.processor.add_execution_observer(self)

    # What the processor needs: a store and a clock

    def load(self, arn: str) -> Execution:
        return self.executions[arn]

    def update(self, execution: Execution) -> None:
        """Nothing to do: the objects are the store."""

    def now(self) -> datetime:
        return self.world.now

    # Starting and invoking

    def start(self, name: str, event: Any) -> tuple[str, bool]:
        """Start an execution, if the name is new; the same name is the same execution."""
        arn = arn_of(name)
        new = arn not in self.executions
        if new:
            execution = Execution(
                arn,
                StartDurableExecutionInput(
                    account_id="123456789012",
                    function_name="workflow",
                    function_qualifier="live",
                    execution_name=name,
                    execution_timeout_seconds=366 * 86400,
                    execution_retention_period_days=1,
                    invocation_id="1",
                    input=json.dumps(event),
                ),
                [],
            )
            execution.start(self.world.now)
            self.executions[arn] = execution
            self.due[arn] = self.world.now
        return arn, new

    def drive(self, arn: str, handler: Handler) -> Callable[[Actor], None]:
        """The service's side of an execution: invoke whenever something is due, until it ends."""

        def body(me: Actor) -> None:
            execution = self.executions[arn]
            while not execution.is_complete:
                me.wait(
                    lambda: execution.is_complete or self._must_invoke(execution),
                    lambda: None if arn in self.pauses else self._next(execution),
                )
                if execution.is_complete:
                    return
                me.point(footprint(arn))
                self._fire(execution)
                if not execution.is_complete and self._must_invoke(execution):
                    self.invoke(me, execution, handler)

        return body

    def invoke(self, me: Actor, execution: Execution, handler: Handler) -> None:
        """One invocation; its answer counts only if no later one has been started."""
        arn = execution.durable_execution_arn
        self.due.pop(arn, None)
        invocation = execution.begin_new_invocation()
        execution.handler_seen_seq = execution.seq_counter
        event = {
            "DurableExecutionArn": arn,
            "CheckpointToken": execution.get_new_checkpoint_token(),
            "InitialExecutionState": {
                "Operations": [o.to_json_dict() for o in execution.operations],
                "NextMarker": "",
            },
            "UpdatedOperationIds": list(execution.updated_operation_ids),
        }
        execution.mark_state_delivered()
        me.start_process()
        output: Mapping[str, Any] | None = None
        with suppress(Killed, ProcessDied, Exception):
            output = handler(event, _CONTEXT)
        if self.world.over:
            raise Killed
        if output is not None:
            me.point(footprint(arn))
            if self.world.outcome(("dies-before",)) != "ok":
                output = None
        if execution.is_complete or execution.current_invocation_id != invocation:
            return
        self.world.steps.append(f"{me.now():%H:%M:%S} {me.name}: returned {output}")
        if output is None:
            self.due[arn] = self.world.now + RETRY
        elif output["Status"] == InvocationStatus.SUCCEEDED.value:
            execution.complete_success(output["Result"], self.world.now)
        elif output["Status"] == InvocationStatus.FAILED.value:
            execution.complete_fail(ErrorObject.from_dict(output["Error"]), self.world.now)
        if execution.is_complete:
            self._completed(arn)

    def stop(self, arn: str) -> None:
        """StopDurableExecution."""
        execution = self.executions[arn]
        if not execution.is_complete:
            error = ErrorObject("stopped by an operator", "Stopped", None, None)
            execution.complete_stopped(error, self.world.now)
            self._completed(arn)
            self.stopped.add(arn)

    def _completed(self, arn: str) -> None:
        self.completed_at[arn] = self.world.now
        self.completed_after[arn] = len(self.world.steps)

    def pause(self, arn: str) -> None:
        """PauseDurableExecution: callbacks are taken, and nothing is invoked."""
        if not self.executions[arn].is_complete:
            self.pauses[arn] = self.world.now

    def unpause(self, arn: str) -> None:
        """ResumeDurableExecution."""
        if arn in self.pauses:
            self.rested += self.world.now - self.pauses.pop(arn)

    def _must_invoke(self, execution: Execution) -> bool:
        if execution.durable_execution_arn in self.pauses:
            return False
        due = self.due.get(execution.durable_execution_arn)
        return execution.has_unseen_changes() or (due is not None and due <= self.world.now)

    def _next(self, execution: Execution) -> datetime | None:
        """The next moment at which a timer of this execution goes off."""
        moments = list(self._timers(execution))
        if due := self.due.get(execution.durable_execution_arn):
            moments.append(due)
        return min(moments, default=None)

    def _timers(self, execution: Execution) -> list[datetime]:
        found: list[datetime] = []
        for operation in execution.operations:
            if operation.status is OperationStatus.PENDING and operation.step_details:
                moment = operation.step_details.next_attempt_timestamp
            elif operation.status is OperationStatus.STARTED and operation.wait_details:
                moment = operation.wait_details.scheduled_end_timestamp
            elif operation.status is OperationStatus.STARTED and operation.callback_details:
                moment = self.deadlines.get(operation.callback_details.callback_id)
            else:
                continue
            if moment is not None:
                found.append(moment)
        return found

    def _fire(self, execution: Execution) -> None:
        """Let the timers go off whose moment has come."""
        execution.complete_due_operations(self.world.now)
        for operation in list(execution.operations):
            if operation.operation_type is not OperationType.CALLBACK:
                continue
            details = operation.callback_details
            if operation.status is not OperationStatus.STARTED or details is None:
                continue
            deadline = self.deadlines.get(details.callback_id)
            if deadline is not None and deadline <= self.world.now:
                error = ErrorObject("Callback timed out", "Callback.Timeout", None, None)
                execution.complete_callback_timeout(details.callback_id, error, self.world.now)

    # The API

    def checkpoint(self, request: Mapping[str, Any]) -> Call:
        arn = request["DurableExecutionArn"]

        def apply(token: str) -> dict[str, Any]:
            self._fire(self.executions[arn])
            updates = [OperationUpdate.from_dict(u) for u in request["Updates"]]
            try:
                output = self.processor.process_checkpoint(
                    request["CheckpointToken"], updates, token
                )
            except InvalidParameterValueException as error:
                raise client_error(
                    "CheckpointDurableExecution", "InvalidParameterValueException", 400, str(error)
                ) from error
            operations = output.new_execution_state.operations
            return {
                "CheckpointToken": output.checkpoint_token,
                "NewExecutionState": {"Operations": [o.to_dict() for o in operations]},
            }

        names = "+".join(f"{u.get('Name', '')}.{u['Action']}" for u in request["Updates"])
        return Call(
            f"Checkpoint {names}", footprint(arn), apply, CHECKPOINT_FAULTS, checkpoint=True
        )

    def complete(self, request: Mapping[str, Any]) -> Call:
        """SendDurableExecutionCallbackSuccess and -Failure."""
        callback_id = request["CallbackId"]
        owner = self._owner(callback_id)

        def apply(_: str) -> dict[str, Any]:
            if owner is None:
                raise client_error(COMPLETE_CALLBACK, "ResourceNotFoundException", 404)
            self._fire(owner)
            operation = owner.find_callback_operation(callback_id)[1]
            if owner.is_complete or operation.status is not OperationStatus.STARTED:
                raise client_error(COMPLETE_CALLBACK, "CallbackTimeoutException", 400)
            now = self.world.now
            if "Error" in request:
                error = ErrorObject.from_dict(request["Error"])
                owner.complete_callback_failure(callback_id, error, now)
            else:
                owner.complete_callback_success(callback_id, request.get("Result"), now)
            return {}

        touched = footprint(owner.durable_execution_arn) if owner else frozenset()
        return Call(COMPLETE_CALLBACK, touched, apply, CALLBACK_FAULTS)

    def describe(self, request: Mapping[str, Any]) -> Call:
        """GetDurableExecution."""
        arn = request["DurableExecutionArn"]

        def apply(_: str) -> dict[str, Any]:
            if arn not in self.executions:
                raise client_error("GetDurableExecution", "ResourceNotFoundException", 404)
            paused = arn in self.pauses and not self.executions[arn].is_complete
            return {"Status": "PAUSED" if paused else self.executions[arn].current_status().value}

        reads = frozenset({(f"execution {arn}", False)})
        return Call("GetDurableExecution", reads, apply, ("fail", "dies-before", "slow"))

    def open_callbacks(self, arn: str) -> list[str]:
        return [
            o.callback_details.callback_id
            for o in self.executions[arn].operations
            if o.status is OperationStatus.STARTED and o.callback_details
        ]

    def _owner(self, callback_id: str) -> Execution | None:
        for execution in self.executions.values():
            for operation in execution.operations:
                details = operation.callback_details
                if details and details.callback_id == callback_id:
                    return execution
        return None

    # What the processor reports

    def on_callback_created(
        self, _arn: str, _operation: str, callback_options: Any, callback_token: Any
    ) -> None:
        if callback_options and callback_options.timeout_seconds:
            timeout = timedelta(seconds=callback_options.timeout_seconds)
            self.deadlines[callback_token.to_str()] = self.world.now + timeout

    def on_completed(self, _arn: str, _result: str | None = None) -> None:
        raise NotImplementedError("a result above 6 MB")

    def on_failed(self, _arn: str, _error: Any) -> None:
        raise NotImplementedError("an error above 6 MB")

    def on_timed_out(self, _arn: str, _error: Any) -> None:
        raise NotImplementedError

    def on_stopped(self, _arn: str, _error: Any) -> None:
        raise NotImplementedError

    def on_chained_invoke_started(self, *_: Any) -> None:
        raise NotImplementedError


def collect_until_somebody_waits(self: ExecutionState) -> list[QueuedOperation]:
    """`ExecutionState._collect_checkpoint_batch` without a clock: a batch ends when its caller
    is blocked on it, so that the same choices always make the same batches."""
    batch: list[QueuedOperation] = []
    while not self._checkpointing_stopped.is_set():
        item = self._checkpoint_queue.get()
        if isinstance(item, _Signal):
            continue
        batch.append(item)
        if item.completion_event is not None:
            return batch
    return []


def stop_at_once(self: ExecutionState) -> None:
    """`ExecutionState.stop_checkpointing` with a signal in place of a poll every 0.1 s."""
    self._checkpointing_stopped.set()
    self._checkpoint_queue.put(next(iter(_Signal)))
