"""AWS's own durable engine, running the functions that are deployed in the local cloud.

The engine comes from AWS's testing package: executor, checkpoint processor, timers and SQLite
store. What it lacks to stand in for the service is added here, one docstring per gap.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    CallbackOptions,
    ErrorObject,
    Operation,
    OperationStatus,
    OperationType,
)
from aws_durable_execution_sdk_python_testing.checkpoint.processor import CheckpointProcessor
from aws_durable_execution_sdk_python_testing.child_dispatcher import EndpointChildDispatcher
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException
from aws_durable_execution_sdk_python_testing.execution import Execution, ExecutionStatus
from aws_durable_execution_sdk_python_testing.executor import Executor
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.scheduler import Scheduler
from aws_durable_execution_sdk_python_testing.stores.sqlite import SQLiteExecutionStore
from aws_durable_execution_sdk_python_testing.threads import DaemonThreadPool
from aws_durable_execution_sdk_python_testing.worker.registry import ExecutionRegistry

from hitl_approval_cli.local import functions
from hitl_approval_cli.local.execution_arn import ExecutionArn
from hitl_approval_cli.local.functions import Function
from hitl_approval_cli.local.invoker import DeployedFunctions, DeployedInvoker
from hitl_approval_cli.local.process import REGION

logger = logging.getLogger(__name__)

DEFAULT_EXECUTION_TIMEOUT = 24 * 60 * 60
"""Seconds, for a DurableConfig without one."""
DEFAULT_RETENTION_DAYS = 14
INVOCATION_TIMEOUT = 24 * 60 * 60
"""Seconds the engine waits for one invocation, time in line included. The function's own timeout,
enforced by the process that runs it, is always shorter."""
WAITING_INVOCATIONS = 64
"""Threads that wait for a free process; those in excess are queued by the engine itself."""

# Kept with the execution and handed on to its children, as the engine does with trace fields.
_REGION = "Region"
_INVOCATION_TYPE = "InvocationType"

DeadLetter = Callable[[Function, str, ErrorObject | None], None]


class AlreadyStartedError(Exception):
    """The execution name is taken by an execution with another payload."""


class DurableEngine:
    """Starts, resumes and ends durable executions; they outlive it in its database."""

    def __init__(self, database: Path, *, endpoint_url: str, dead_letter: DeadLetter) -> None:
        """Prepare the engine; `start` sets it to work.

        Args:
            database: SQLite file.
            endpoint_url: this cloud; plain functions that a workflow invokes are called there.
            dead_letter: takes the events of asynchronous executions that failed.
        """
        self.store = SQLiteExecutionStore.create_and_initialize(database)
        self._scheduler: Any = Scheduler()
        self._registry = ExecutionRegistry(self.store, self._scheduler)
        invoker = DeployedInvoker(endpoint_url=endpoint_url, region_name=REGION)
        processor = CheckpointProcessor(self.store, self._scheduler)
        self.executor = _Executor(
            store=self.store,
            scheduler=self._scheduler,
            invoker=invoker,
            checkpoint_processor=processor,
            invocation_timeout_seconds=INVOCATION_TIMEOUT,
            registry=self._registry,
            child_dispatcher=EndpointChildDispatcher(
                DeployedFunctions({}), invoker.unmarked_client_for, INVOCATION_TIMEOUT
            ),
            region=REGION,
        )
        self.executor.dead_letter = dead_letter
        self.executor.reported = invoker.errors
        processor.add_execution_observer(self.executor)
        processor.set_chained_invoke_preflight(self.executor.preflight_chained_invoke)
        self._start_lock = threading.Lock()

    def start(self) -> None:
        """Set to work, and take up the executions that were running when the engine last ended."""
        self._scheduler.start()
        running, _ = self.store.query(status_filter=ExecutionStatus.RUNNING.value)
        for execution in running:
            self.executor.take_up(execution)

    def stop(self) -> None:
        """End; running executions stay in the database."""
        self.executor.shutdown()
        self._registry.shutdown()
        self._scheduler.stop()

    def begin(
        self,
        function: Function,
        payload: str,
        *,
        name: str | None = None,
        asynchronous: bool = False,
    ) -> str:
        """Start an execution and return its ARN.

        The engine starts a new execution for each call. In AWS a name identifies one execution of
        a function: with the same payload it is the answer again.

        Raises:
            AlreadyStartedError: the name is taken by an execution with another payload.
        """
        durable = function.durable or {}
        with self._start_lock:
            for existing in self._named(function, name) if name else ():
                if existing.start_input.input != payload:
                    raise AlreadyStartedError(existing.durable_execution_arn)
                return existing.durable_execution_arn
            started = self.executor.start_execution(
                StartDurableExecutionInput(
                    account_id=function.account,
                    function_name=function.name,
                    function_qualifier=function.version,
                    execution_name=name or str(uuid.uuid4()),
                    execution_timeout_seconds=int(
                        durable.get("ExecutionTimeout", DEFAULT_EXECUTION_TIMEOUT)
                    ),
                    execution_retention_period_days=int(
                        durable.get("RetentionPeriodInDays", DEFAULT_RETENTION_DAYS)
                    ),
                    trace_fields={
                        _REGION: function.region,
                        _INVOCATION_TYPE: "Event" if asynchronous else "RequestResponse",
                    },
                    input=payload,
                )
            )
        return str(started.execution_arn)

    def wait(self, arn: str, timeout: float) -> Execution:
        """The execution once it has ended, or as it is when the time is over."""
        with self.executor.ended:
            self.executor.ended.wait_for(lambda: self.store.load(arn).is_complete, timeout)
        return self.store.load(arn)

    def _named(self, function: Function, name: str) -> list[Execution]:
        found, _ = self.store.query(function_name=function.name, execution_name=name)
        return [execution for execution in found if _is_of(execution, function)]


def _is_of(execution: Execution, function: Function) -> bool:
    arn = ExecutionArn.parse(execution.durable_execution_arn)
    return (arn.account, arn.region) == (function.account, function.region)


class _Executor(Executor):
    """The engine's executor with what the service has more."""

    dead_letter: DeadLetter
    reported: dict[str, ErrorObject]
    """What Lambda reports of each execution's invocation that has just failed."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.ended = threading.Condition()
        self.invocation_errors: dict[str, ErrorObject] = {}
        """Request ids of the invocations that failed since the start, each with its error."""
        self._invoked: dict[str, datetime] = {}
        # Upstream allows CPUs + 4 invocations at once; here the number of processes is the limit.
        self._invocation_pool = DaemonThreadPool(WAITING_INVOCATIONS, "durable-invocation")

    def _create_execution(
        self,
        input: StartDurableExecutionInput,  # noqa: A002  upstream's name
        parent_execution_arn: str | None = None,
    ) -> Execution:
        """Name the execution as AWS does, and pin it to the version that it starts on.

        Upstream names executions `<uuid>/<uuid>`, which IAM policies, tools and regular
        expressions made for AWS do not match, and keeps an alias as it is: after the next
        deployment a running execution would go on in other code.
        """
        region = (input.trace_fields or {}).get(_REGION, self._region)
        function = functions.find(
            input.account_id, region, input.function_name, input.function_qualifier
        )
        version = function.version if function else input.function_qualifier
        # The SDK finds its input by the last part of the ARN.
        identity = str(uuid.uuid4())
        pinned = replace(input, function_qualifier=version, invocation_id=identity)
        execution = Execution(
            f"arn:aws:lambda:{region}:{input.account_id}:function:{input.function_name}:{version}"
            f"/durable-execution/{input.execution_name}/{identity}",
            pinned,
            [],
        )
        execution.region = region
        execution.parent_execution_arn = parent_execution_arn
        execution.start(now=self._clock.now())
        self._store.save(execution)
        return execution

    def _complete_events(self, execution_arn: str) -> None:
        """Notify those who wait; send the event of a failed execution to the dead-letter queue.

        Upstream has no dead-letter queue, and lets each execution be waited for only once.
        """
        super()._complete_events(execution_arn)
        with self.ended:
            self.ended.notify_all()
        execution = self._store.load(execution_arn)
        wanted = execution.start_input
        fields = wanted.trace_fields or {}
        if (
            fields.get(_INVOCATION_TYPE) == "Event"
            and execution.parent_execution_arn is None
            and execution.current_status() in {ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT}
        ):
            function = functions.find(
                wanted.account_id, fields[_REGION], wanted.function_name, wanted.function_qualifier
            )
            if function and function.dead_letter_arn:
                error = execution.result.error if execution.result else None
                self.dead_letter(function, wanted.input or "{}", error)

    def _begin_invocation(self, execution_arn: str) -> Any:
        """As upstream; a failed invocation is recorded from this moment on."""
        self._invoked[execution_arn] = self._clock.now()
        return super()._begin_invocation(execution_arn)

    def _retry_after_error(self, execution_arn: str, error: ErrorObject) -> None:
        """Record the invocation that failed, which upstream does not, and invoke again."""
        error = self.reported.pop(execution_arn, error)
        with suppress(ResourceNotFoundException):  # deleted meanwhile
            execution = self._store.load(execution_arn)
            request_id, now = str(uuid.uuid4()), self._clock.now()
            self.invocation_errors[request_id] = error
            began = self._invoked.get(execution_arn, now)
            execution.record_invocation_completion(began, now, request_id)
            self._store.save(execution)
        super()._retry_after_error(execution_arn, error)

    def take_up(self, execution: Execution) -> None:
        """Start the timers of a stored execution again, and invoke it if it was interrupted.

        Upstream keeps timers in memory only: after a restart no wait, retry or timeout would ever
        come.
        """
        arn = execution.durable_execution_arn
        now = self._clock.now()
        self._completion_events[arn] = self._scheduler.create_event()
        started = execution.get_operation_execution_started().start_timestamp or now
        seconds = execution.start_input.execution_timeout_seconds
        self._execution_timeouts[arn] = self._scheduler.call_later(
            partial(
                self.on_timed_out,
                arn,
                ErrorObject.from_message(f"Execution timed out after {seconds} seconds."),
            ),
            delay=_remaining(started, seconds, now),
            completion_event=self._completion_events[arn],
        )
        for operation in execution.operations:
            self._take_up_callback(execution, operation, now)
        self._schedule_earliest_pending(arn)
        interrupted = any(
            operation.operation_type is OperationType.STEP
            and operation.status in {OperationStatus.STARTED, OperationStatus.READY}
            for operation in execution.operations
        )
        if (
            interrupted
            or execution.needs_reinvoke
            or execution.has_unseen_changes()
            or not execution.has_pending_operations(execution)
        ):
            self._invoke_execution(arn)

    def _take_up_callback(self, execution: Execution, operation: Operation, now: datetime) -> None:
        if (
            operation.operation_type is not OperationType.CALLBACK
            or operation.status is not OperationStatus.STARTED
            or operation.callback_details is None
        ):
            return
        wanted = next(
            (
                update.callback_options
                for update in execution.updates
                if update.operation_id == operation.operation_id and update.callback_options
            ),
            None,
        )
        if wanted is None:
            return
        timeout = wanted.timeout_seconds
        if timeout > 0:
            timeout = max(1, round(_remaining(operation.start_timestamp or now, timeout, now)))
        # When the last heartbeat came is not stored: that clock starts anew.
        options = CallbackOptions(timeout, wanted.heartbeat_timeout_seconds)
        self._schedule_callback_timeouts(
            execution.durable_execution_arn, options, operation.callback_details.callback_id
        )


def outcome(execution: Execution) -> tuple[str | None, ErrorObject | None]:
    """The result or the error of an execution that has ended."""
    ended = execution.result
    if ended is None:
        return None, ErrorObject.from_message("The execution has not ended.")
    if execution.current_status() is ExecutionStatus.SUCCEEDED:
        return ended.result, None
    return None, ended.error or ErrorObject.from_message("The execution failed.")


def function_error(error: ErrorObject) -> Mapping[str, Any]:
    """An error as Lambda reports it to the caller."""
    named = {
        "errorMessage": error.message,
        "errorType": error.type,
        "errorData": error.data,
        "stackTrace": error.stack_trace,
    }
    return {name: value for name, value in named.items() if value is not None}


def _remaining(since: datetime, seconds: float, now: datetime) -> float:
    ends = since.astimezone(UTC) + timedelta(seconds=seconds)
    return max(0.0, (ends - now).total_seconds())
