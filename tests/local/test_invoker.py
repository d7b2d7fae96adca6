"""What the engine hears from an invocation, of functions that are not run here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInput
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException

from hitl_approval_cli.local import functions
from hitl_approval_cli.local.functions import Function, FunctionError
from hitl_approval_cli.local.invoker import DeployedInvoker

ARN = "arn:aws:lambda:us-east-1:000000000000:function:pay:7/durable-execution/order-1/6f1f"
PAY = Function("000000000000", "us-east-1", "pay", "7", {"ExecutionTimeout": 60}, None)

Invoke = Callable[[], Any]


@pytest.fixture
def invoker() -> DeployedInvoker:
    return DeployedInvoker(endpoint_url="http://127.0.0.1:1", region_name="us-east-1")


@pytest.fixture
def invoke(invoker: DeployedInvoker) -> Invoke:
    wanted = DurableExecutionInvocationInput.from_json_dict(
        {
            "DurableExecutionArn": ARN,
            "CheckpointToken": "token",
            "InitialExecutionState": {"Operations": [], "NextMarker": ""},
        }
    )
    return lambda: invoker.invoke("pay", wanted)


def test_should_run_the_version_that_the_execution_is_pinned_to(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def find(*names: str) -> Function:
        asked.append(names)
        return PAY

    monkeypatch.setattr(functions, "find", find)
    monkeypatch.setattr(functions, "run", lambda *_: {"Status": "SUCCEEDED", "Result": "1"})
    assert invoke().invocation_output.result == "1"
    assert asked == [("000000000000", "us-east-1", "pay", "7")]


def test_should_keep_what_lambda_reports_of_a_failure(
    invoke: Invoke, invoker: DeployedInvoker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any) -> Any:
        raise FunctionError({"errorType": "Sandbox.Timedout", "errorMessage": "timed out"})

    monkeypatch.setattr(functions, "find", lambda *_: PAY)
    monkeypatch.setattr(functions, "run", run)
    with pytest.raises(FunctionError, match="timed out"):
        invoke()
    reported = invoker.errors[ARN]
    assert (reported.type, reported.message) == ("Sandbox.Timedout", "timed out")


def test_should_say_that_the_version_has_been_deleted(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "find", lambda *_: None)
    with pytest.raises(ResourceNotFoundException, match="pay:7"):
        invoke()
