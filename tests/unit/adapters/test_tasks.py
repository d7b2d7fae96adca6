"""The waiting task of a state machine is answered, or known to wait no more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from hitl_approval.adapters.tasks import CLOSED_CODES, StepFunctionsTasks
from hitl_approval.domain.errors import Unavailable


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
