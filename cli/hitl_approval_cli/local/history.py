"""The events of an execution as AWS writes them: what the engine leaves out is added.

Found by AWS's conformance tests (`tests/conformance`): the details of an invocation that has
completed, the timeouts of a callback, on which attempt a step has succeeded and the state that a
polled condition hands on, and which version of another function a workflow invokes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from aws_durable_execution_sdk_python.lambda_service import (
    ErrorObject,
    OperationAction,
)
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import EventType

from hitl_approval_cli.local.execution_arn import ExecutionArn

Event = dict[str, Any]
Errors = Mapping[str, ErrorObject]
"""Request ids of the invocations that failed, each with its error."""


def complete(events: list[Event], execution: Execution, errors: Errors) -> list[Event]:
    """The events with what the engine leaves out.

    Args:
        events: some of an execution's, as the engine gives them; they are changed.
        execution: that execution, not older than its events.
        errors: why invocations failed.
    """
    add: Mapping[str, Callable[[Event], None]] = {
        EventType.INVOCATION_COMPLETED.value: _Invocations(execution, errors).add,
        EventType.CALLBACK_STARTED.value: _Callbacks(execution).add,
        EventType.STEP_SUCCEEDED.value: _Steps(execution).add,
        EventType.CHAINED_INVOKE_STARTED.value: _add_version,
        EventType.EXECUTION_SUCCEEDED.value: _hide_result,
    }
    for event in events:
        if event["EventType"] in add:
            add[event["EventType"]](event)
    return events


class _Invocations:
    def __init__(self, execution: Execution, errors: Errors) -> None:
        self._by_end = {one.end_timestamp: one for one in execution.invocation_completions}
        self._errors = errors

    def add(self, event: Event) -> None:
        completed = self._by_end[event["EventTimestamp"]]
        details = completed.to_dict()
        if error := self._errors.get(completed.request_id):
            details["Error"] = {"Payload": error.to_dict(), "Truncated": False}
        event["InvocationCompletedDetails"] = details


class _Callbacks:
    def __init__(self, execution: Execution) -> None:
        self._options = {
            update.operation_id: update.callback_options
            for update in execution.updates
            if update.callback_options
        }

    def add(self, event: Event) -> None:
        if options := self._options.get(event["Id"]):
            wanted = {
                "Timeout": options.timeout_seconds,
                "HeartbeatTimeout": options.heartbeat_timeout_seconds,
            }
            given = {name: seconds for name, seconds in wanted.items() if seconds}
            event["CallbackStartedDetails"].update(given)


class _Steps:
    def __init__(self, execution: Execution) -> None:
        updates = execution.updates
        self._starts = Counter(
            update.operation_id for update in updates if update.action is OperationAction.START
        )
        self._handed_on = {
            (update.operation_id, moment): update.payload
            for update, moment in zip(updates, execution.update_timestamps, strict=True)
            if update.action is OperationAction.RETRY
        }

    def add(self, event: Event) -> None:
        details = event["StepSucceededDetails"]
        details.setdefault("RetryDetails", {"CurrentAttempt": self._starts[event["Id"]]})
        state = self._handed_on.get((event["Id"], event["EventTimestamp"]))
        result = details.get("Result", {"Truncated": True})
        if state is not None and not result["Truncated"]:
            result.setdefault("Payload", state)


def _add_version(event: Event) -> None:
    """The version of a durable function that is invoked; that of others is not kept."""
    details = event["ChainedInvokeStartedDetails"]
    if child := details.get("DurableExecutionArn"):
        details["ExecutedVersion"] = ExecutionArn.parse(child).version


def _hide_result(event: Event) -> None:
    """Leave the result out of events without execution data, where the engine keeps this one."""
    result = event["ExecutionSucceededDetails"].get("Result", {})
    if result.get("Truncated"):
        result.pop("Payload", None)
