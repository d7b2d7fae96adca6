"""The waiting task of a state machine is answered, or known to wait no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from hitl_approval.adapters.tasks import CLOSED_CODES, StepFunctionsTasks
from hitl_approval.domain.errors import InvalidRequest, Unavailable
from hitl_approval.domain.start import parse_document, task_token


class StepFunctions:
    """Keeps what it was sent, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[dict[str, Any]] = []

    def send_task_success(self, **call: Any) -> None:
        if self.error:
            raise self.error
        self.sent.append(call)

    send_task_failure = send_task_success


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "SendTaskSuccess")


def test_should_send_the_answer_with_its_token() -> None:
    states = StepFunctions()
    tasks = StepFunctionsTasks(client=states)
    assert tasks.succeed("token", {"approved": True})
    assert tasks.fail("token", "InvalidRequest", "subject: must not be empty")
    assert states.sent == [
        {"taskToken": "token", "output": json.dumps({"approved": True})},
        {"taskToken": "token", "error": "InvalidRequest", "cause": "subject: must not be empty"},
    ]


@pytest.mark.parametrize("code", sorted(CLOSED_CODES))
def test_should_take_a_task_that_waits_no_more_for_closed(code: str) -> None:
    assert not StepFunctionsTasks(client=StepFunctions(refused(code))).succeed("token", {})


@pytest.mark.parametrize(
    "error", [refused("ThrottlingException"), EndpointConnectionError(endpoint_url="x")]
)
def test_should_leave_a_call_that_failed_to_be_tried_again(error: Exception) -> None:
    with pytest.raises(Unavailable, match=r"Step Functions did not (take the call|answer)"):
        StepFunctionsTasks(client=StepFunctions(error)).succeed("token", {})


def test_should_take_a_request_without_a_document() -> None:
    request = parse_document({"subject": "Refund 70", "requester": "rita", "task_token": "t"})
    assert (request.subject, request.document_id) == ("Refund 70", None)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"subject": "Refund"}, "requester: is required"),
        (
            {"subject": "Refund", "requester": "rita", "document_id": "d"},
            "document_id: is not a field of this workflow",
        ),
    ],
)
def test_should_refuse_half_a_request(event: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse_document(event)


@pytest.mark.parametrize("token", ["", 7, "x" * 2_049, ["t"]])
def test_should_refuse_what_is_no_token(token: Any) -> None:
    with pytest.raises(InvalidRequest, match="task_token: must be a token of Step Functions"):
        task_token({"task_token": token})
    assert task_token({"task_token": None}) is None
    assert task_token("no object") is None
