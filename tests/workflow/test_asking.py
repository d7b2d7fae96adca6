"""A function that has no right but to ask: all that it does goes through the request function."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, InvalidRequest, requires_approval, wait_for_approval
from hitl_approval import withdraw as take_back
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.durable import wait
from hitl_approval.testing.virtual_time import eventually
from hitl_approval.usecases.ask import Defaults, DirectRequests
from hitl_approval.usecases.request import RequestService
from tests.asking import FUNCTION, RequestFunctionOfARunner
from tests.unit.adapters.failing import answered

from .conftest import Stage, StageFactory


class Function(RequestFunctionOfARunner):
    """The request function of a stage, which can be throttled."""

    throttled = 0

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803  boto3's
        if self.throttled:
            self.throttled -= 1
            raise answered("TooManyRequestsException", 429)
        return super().invoke(FunctionName=FunctionName, Payload=Payload)


@durable_execution
def refund(event: Any, context: DurableContext) -> dict[str, Any]:
    request = ApprovalRequest(subject="Refund 7", requester="agent", approvers=["bob"])
    outcome = wait_for_approval(context, request, name="refund")
    return {"statusCode": 200, "body": json.dumps([outcome.status, outcome.decided_by])}


@pytest.fixture(params=["callback", "polling"])
def mode(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


Attached = tuple[Stage, Function]


def asking(
    make_stage: StageFactory,
    monkeypatch: pytest.MonkeyPatch,
    handler: Any,
    mode: str = "callback",
) -> Attached:
    """A stage of which this process has nothing but the function."""
    stage = make_stage(
        handler,
        RESUME_MODE=mode,
        HITL_REQUEST_FUNCTION_ARN=FUNCTION,
        AWS_LAMBDA_FUNCTION_NAME="refund",
        HITL_RESUME_MODE=mode,
        HITL_POLL_INTERVAL_SECONDS="5",
        HITL_APPROVAL_TIMEOUT_SECONDS="3600",
        HITL_MAX_APPROVAL_TIMEOUT_SECONDS="86400",
        HITL_DEFAULT_APPROVERS='["bob"]',
    )
    function = Function(lambda: DirectRequests(stage.requests, Defaults()))

    def nothing() -> RequestService:
        raise AssertionError("it has no right to ask directly")

    monkeypatch.setattr(wait, "request_service", nothing)
    monkeypatch.setattr(wait, "requests_through", function.client)
    return stage, function


def asked(stage: Stage) -> Approval:
    found: Approval = eventually(lambda: next(iter(stage.store.approvals.values()), None))
    return found


def decide(stage: Stage, decision: Any) -> None:
    eventually(lambda: len(stage.notifier.sent) == 1)
    stage.decisions.decide(asked(stage).approval_id, Actor("bob", "declared"), decision, "")


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_wait_for_the_decision(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch, mode: str, decision: str
) -> None:
    stage, function = asking(make_stage, monkeypatch, refund, mode)
    stage.start({})
    decide(stage, decision)

    answer: Any = stage.finish()
    assert answer == [decision, "bob"]
    assert asked(stage).resumed
    assert len(stage.notifier.sent) == 1
    assert {message["operation"] for message in function.invoked} == {
        "submit",
        "notify",
        "check_status",
    }


def test_should_end_by_silence(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    stage, function = asking(make_stage, monkeypatch, refund, mode)
    stage.start({})
    if mode == "callback":
        while not stage.done:
            stage.time_out_callback()
            stage.next_callback()
    answer: Any = stage.finish()
    assert answer == ["timeout", "hitl-approval"]
    registers = [m for m in function.invoked if m["operation"] == "register_callback"]
    assert bool(registers) == (mode == "callback")


def test_should_try_again_when_the_function_is_throttled(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, function = asking(make_stage, monkeypatch, refund)
    function.throttled = 3
    stage.start({})
    decide(stage, "approved")
    answer: Any = stage.finish()
    assert answer == ["approved", "bob"]
    assert len(stage.store.approvals) == 1


@durable_execution
def refused(event: Any, context: DurableContext) -> dict[str, Any]:
    request = ApprovalRequest(subject="Refund 7", requester="bob", approvers=["bob"])
    try:
        wait_for_approval(context, request)
    except InvalidRequest as error:
        return {"statusCode": 200, "body": json.dumps(str(error))}
    raise AssertionError("it cannot be held")


def test_should_raise_the_deployments_refusal(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    stage, _ = asking(make_stage, monkeypatch, refused, mode)
    stage.start({})
    answer: Any = stage.finish()
    assert answer == "approvers: name only the requester, who cannot decide"
    assert not stage.store.approvals


@requires_approval(requester="agent", approvers=["bob"])
def delete(table: str) -> str:
    return f"deleted {table}"


@durable_execution
def gated(event: Any, context: DurableContext) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(delete(context, "orders"))}


def test_should_run_what_was_approved(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    stage, function = asking(make_stage, monkeypatch, gated, mode)
    stage.start({})
    decide(stage, "approved")
    answer: Any = stage.finish()
    assert answer == "deleted orders"
    assert function.invoked[-1]["operation"] == "read_context"


@durable_execution
def given_up(event: Any, context: DurableContext) -> dict[str, Any]:
    stands = take_back(context, "refund", "moot")
    return {"statusCode": 200, "body": json.dumps(stands)}


def test_should_withdraw_through_the_function(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, function = asking(make_stage, monkeypatch, given_up)
    stage.start({})
    answer: Any = stage.finish()
    assert answer is None
    assert [message["operation"] for message in function.invoked] == ["withdraw"]
