"""Lambda's durable API over HTTP: routes and error shapes of AWS, answers of the engine.

The engine's own HTTP layer is not used: its errors carry no type, so that boto3 sees a code "404";
a closed callback is "not found"; list filters and the error of a Stop are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import unquote

from aws_durable_execution_sdk_python.lambda_service import (
    ErrorObject,
    OperationStatus,
)
from aws_durable_execution_sdk_python_testing.exceptions import (
    AwsApiException,
    CallbackTimeoutException,
    IllegalStateException,
    InvalidParameterValueException,
    ResourceNotFoundException,
)
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import (
    CheckpointDurableExecutionRequest,
)
from aws_durable_execution_sdk_python_testing.model import Execution as Summary
from aws_durable_execution_sdk_python_testing.token import CallbackToken
from ministack.core.concurrency import run_offloop, run_reentrant
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import lambda_svc

from hitl_approval_cli.local import functions
from hitl_approval_cli.local.engine import (
    AlreadyStartedError,
    DurableEngine,
    function_error,
    outcome,
)
from hitl_approval_cli.local.execution_arn import ExecutionArn
from hitl_approval_cli.local.functions import Function
from hitl_approval_cli.local.history import complete

Response = tuple[int, dict[str, str], bytes]
Query = Mapping[str, list[str]]

MAX_SYNCHRONOUS_SECONDS = 15 * 60
"""Lambda refuses to wait for executions that may take longer."""
PAGE = 100
MAX_PAGE = 1000

_EXECUTION_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")
_INVOKE = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations/?")
_STATUS = {
    CallbackTimeoutException: 400,  # the engine says 408, the service model 400
    InvalidParameterValueException: 400,
    ResourceNotFoundException: 404,
}


class DurableApi:
    """Answers the requests that concern durable executions; all others are not for it."""

    def __init__(self, engine: DurableEngine, barrier: Callable[[], None] | None = None) -> None:
        """Answer for this engine.

        Args:
            engine: what runs the executions.
            barrier: returns when the tables are written; called before the engine writes.
        """
        self._engine = engine
        self._barrier = barrier
        self._executor = engine.executor
        execution = r"/2025-12-01/durable-executions/(?P<target>.+)"
        # A callback id is base64 and may hold a slash; the path arrives decoded.
        callback = r"/2025-12-01/durable-execution-callbacks/(?P<target>.+)"
        by_function = r"/2025-12-01/functions/(?P<target>[^/]+)/durable-executions"
        self._routes: list[tuple[str, re.Pattern[str], Callable[[str, bytes, Query], Any]]] = [
            ("POST", re.compile(execution + "/checkpoint"), self._checkpoint),
            ("GET", re.compile(execution + "/state"), self._state),
            ("GET", re.compile(execution + "/history"), self._history),
            ("POST", re.compile(execution + "/stop"), self._stop),
            ("GET", re.compile(execution), self._get),
            ("GET", re.compile(by_function), self._list),
            ("POST", re.compile(callback + "/succeed"), self._succeed),
            ("POST", re.compile(callback + "/fail"), self._fail),
            ("POST", re.compile(callback + "/heartbeat"), self._heartbeat),
        ]

    async def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Query
    ) -> Response | None:
        """The answer, or None when the request is not about durable executions."""
        path = unquote(path)
        if method == "POST" and (invoked := _INVOKE.fullmatch(path)):
            return await self._invoke(invoked["name"], headers, body, query)
        for expected, pattern, respond in self._routes:
            if method == expected and (match := pattern.fullmatch(path)):
                before = self._barrier if method == "POST" else None
                answer = await run_offloop(_respond, before, respond, match["target"], body, query)
                return cast(Response, answer)
        return None

    # Invoke

    async def _invoke(
        self, reference: str, headers: Mapping[str, str], body: bytes, query: Query
    ) -> Response | None:
        name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(reference)
        qualifier = qualifier or _first(query, "Qualifier")
        function = functions.find(get_account_id(), get_region(), name, qualifier)
        kind = headers.get("x-amz-invocation-type", "RequestResponse")
        if function is None or function.durable is None or kind == "DryRun":
            return None
        if qualifier is None:
            return _error(
                "InvalidParameterValueException",
                "You cannot invoke a durable function using an unqualified ARN.",
                400,
            )
        execution_name = headers.get("x-amz-durable-execution-name")
        if execution_name is not None and not _EXECUTION_NAME.fullmatch(execution_name):
            return _error(
                "ValidationException",
                f"1 validation error detected: Value {execution_name!r} at 'durableExecutionName' "
                f"failed to satisfy constraint: Member must match {_EXECUTION_NAME.pattern}",
                400,
            )
        asynchronous = kind == "Event"
        timeout = function.durable.get("ExecutionTimeout", 0)
        if not asynchronous and timeout > MAX_SYNCHRONOUS_SECONDS:
            return _error(
                "InvalidParameterValueException",
                "You cannot synchronously invoke a durable function with an executionTimeout "
                "greater than 15 minutes.",
                400,
            )
        try:
            payload = body.decode() or "{}"
            json.loads(payload)
        except ValueError as error:
            return _error(
                "InvalidRequestContentException",
                f"Could not parse request body into json: {error}",
                400,
            )
        try:
            arn = await run_offloop(
                self._engine.begin,
                function,
                payload,
                name=execution_name,
                asynchronous=asynchronous,
            )
        except AlreadyStartedError as error:
            return _error(
                "DurableExecutionAlreadyStartedException",
                f"The durable execution {error} has already been started with another payload.",
                409,
            )
        answer = {
            "X-Amz-Executed-Version": ExecutionArn.parse(arn).version,
            "X-Amz-Durable-Execution-Arn": arn,
        }
        if asynchronous:
            return 202, answer, b""
        ended = await run_reentrant(self._engine.wait, arn, MAX_SYNCHRONOUS_SECONDS)
        result, failed = outcome(ended)
        answer["Content-Type"] = "application/json"
        if failed:
            answer["X-Amz-Function-Error"] = "Unhandled"
            return 200, answer, json.dumps(function_error(failed)).encode()
        return 200, answer, (result or "null").encode()

    # What the SDK calls inside a durable function

    def _checkpoint(self, arn: str, body: bytes, _query: Query) -> dict[str, Any]:
        request = CheckpointDurableExecutionRequest.from_dict(_json(body), arn)
        return self._executor.checkpoint_execution(
            arn, request.checkpoint_token, request.updates, request.client_token
        ).to_dict()

    def _state(self, arn: str, _body: bytes, query: Query) -> dict[str, Any]:
        return self._executor.get_execution_state(
            arn,
            checkpoint_token=_first(query, "CheckpointToken"),
            marker=_first(query, "Marker"),
            max_items=_page_size(query),
        ).to_dict()

    # What operators call

    def _get(self, arn: str, _body: bytes, query: Query) -> dict[str, Any]:
        details = self._executor.get_execution_details(arn).to_dict()
        included = _flag(query, "IncludeExecutionData", default=True)
        if not included:
            for field in ("InputPayload", "Result", "Error"):
                details.pop(field, None)
        return details | {"ExecutionDataIncluded": included}

    def _history(self, arn: str, _body: bytes, query: Query) -> dict[str, Any]:
        history = self._executor.get_execution_history(
            arn,
            include_execution_data=_flag(query, "IncludeExecutionData", default=True),
            reverse_order=_flag(query, "ReverseOrder", default=False),
            marker=_first(query, "Marker"),
            max_items=_page_size(query),
        ).to_dict()
        execution = self._executor.get_execution(arn)
        complete(history["Events"], execution, self._executor.invocation_errors)
        return history

    def _stop(self, arn: str, body: bytes, _query: Query) -> dict[str, Any]:
        error = ErrorObject.from_dict(_json(body)) if body else None
        return self._executor.stop_execution(arn, error).to_dict()

    def _list(self, reference: str, _body: bytes, query: Query) -> dict[str, Any]:
        name, qualifier = lambda_svc._resolve_request_scoped_name_and_qualifier(reference)
        qualifier = qualifier or _first(query, "Qualifier")
        function = functions.find(get_account_id(), get_region(), name, qualifier)
        if function is None:
            msg = f"Function not found: {reference}"
            raise ResourceNotFoundException(msg)
        found, _ = self._engine.store.query(
            function_name=name,
            execution_name=_first(query, "DurableExecutionName"),
            # Newest first unless the call says otherwise; the store calls that reversed.
            reverse_order=not _flag(query, "ReverseOrder", default=False),
        )
        wanted = [
            execution for execution in found if _is_wanted(execution, function, qualifier, query)
        ]
        start = int(_first(query, "Marker") or 0)
        end = start + _page_size(query)
        summaries = [
            Summary.from_execution(each, each.current_status().value, get_region()).to_dict()
            for each in wanted[start:end]
        ]
        more = {"NextMarker": str(end)} if end < len(wanted) else {}
        return {"DurableExecutions": summaries} | more

    # Callbacks

    def _succeed(self, callback_id: str, body: bytes, _query: Query) -> None:
        self._close(callback_id, lambda: self._executor.send_callback_success(callback_id, body))

    def _fail(self, callback_id: str, body: bytes, _query: Query) -> None:
        error = ErrorObject.from_dict(_json(body)) if body else None
        self._close(callback_id, lambda: self._executor.send_callback_failure(callback_id, error))

    def _heartbeat(self, callback_id: str, _body: bytes, _query: Query) -> None:
        self._close(callback_id, lambda: self._executor.send_callback_heartbeat(callback_id))

    def _close(self, callback_id: str, send: Callable[[], object]) -> None:
        """Send if the callback is open.

        The engine says "not found" for whatever goes wrong; AWS has an error of its own for a
        callback that is known but closed. Of two that come together, one finds it closed.
        """
        self._require_open(callback_id)
        try:
            send()
        except ResourceNotFoundException:
            self._require_open(callback_id)
            raise

    def _require_open(self, callback_id: str) -> None:
        try:
            execution = self._executor.get_execution(
                CallbackToken.from_str(callback_id).execution_arn
            )
            _, operation = execution.find_callback_operation(callback_id)
        except (ValueError, KeyError, TypeError, IllegalStateException) as error:
            msg = f"Callback not found: {callback_id}"
            raise ResourceNotFoundException(msg) from error
        if execution.is_complete or operation.status is not OperationStatus.STARTED:
            msg = "The callback has already been closed."
            raise CallbackTimeoutException(msg)


def _is_wanted(
    execution: Execution, function: Function, qualifier: str | None, query: Query
) -> bool:
    arn = ExecutionArn.parse(execution.durable_execution_arn)
    started = execution.get_operation_execution_started().start_timestamp
    after, before = _time(query, "StartedAfter"), _time(query, "StartedBefore")
    statuses = query.get("Statuses") or [execution.current_status().value]
    return (
        (arn.account, arn.region) == (function.account, function.region)
        and (qualifier is None or arn.version == function.version)
        and execution.current_status().value in statuses
        and (after is None or (started is not None and started >= after))
        and (before is None or (started is not None and started <= before))
    )


def _respond(
    before: Callable[[], None] | None,
    respond: Callable[[str, bytes, Query], Any],
    target: str,
    body: bytes,
    query: Query,
) -> Response:
    if before:
        before()
    try:
        answer = respond(target, body, query) or {}
    except AwsApiException as error:
        status = _STATUS.get(type(error), 500)
        code = type(error).__name__ if type(error) in _STATUS else "ServiceException"
        return _error(code, str(error), status)
    except ValueError as error:
        return _error("InvalidParameterValueException", str(error), 400)
    written = json.dumps(answer, default=_seconds).encode()
    return 200, {"Content-Type": "application/json"}, written


def _error(code: str, message: str, status: int) -> Response:
    return cast(Response, error_response_json(code, message, status))


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(type(value))


def _json(body: bytes) -> dict[str, Any]:
    value = json.loads(body or b"{}")
    if not isinstance(value, dict):
        msg = "The request body must be an object."
        raise InvalidParameterValueException(msg)
    return value


def _first(query: Query, name: str) -> str | None:
    return next(iter(query.get(name, ())), None) or None


def _flag(query: Query, name: str, *, default: bool) -> bool:
    value = _first(query, name)
    return default if value is None else value.lower() == "true"


def _page_size(query: Query) -> int:
    return min(int(_first(query, "MaxItems") or 0) or PAGE, MAX_PAGE)


def _time(query: Query, name: str) -> datetime | None:
    value = _first(query, name)
    if value is None:
        return None
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except ValueError:
        return datetime.fromisoformat(value).astimezone(UTC)
