"""What Lambda's errors mean: a callback that is closed, an execution that has ended."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from hitl_approval.adapters.callbacks import LambdaCallbackClient, LambdaExecutions
from hitl_approval.contract import EXECUTION_ENDED, EXECUTION_PAUSED
from hitl_approval.domain.errors import Unavailable
from tests.unit.adapters.failing import LATER, NETWORK, Failing, answered


@pytest.mark.parametrize(
    ("error", "completed"),
    [
        (answered("CallbackTimeoutException"), "already_running"),
        (answered("ResourceNotFoundException", 404), "already_running"),
        (answered("TooManyRequestsException", 429), "delayed"),
        (answered("AccessDeniedException", 403), "delayed"),
        *((error, "delayed") for error in NETWORK),
    ],
    ids=repr,
)
def test_should_never_fail_a_committed_decision_for_its_callback(
    error: Exception, completed: str
) -> None:
    assert LambdaCallbackClient(client=Failing(error)).complete("callback") == completed


def test_should_take_an_execution_that_nobody_knows_for_ended() -> None:
    gone = answered("ResourceNotFoundException", 404)
    assert LambdaExecutions(client=Failing(gone)).check_status("arn") == "ended"


@pytest.mark.parametrize("error", [*LATER, answered("AccessDeniedException", 403)], ids=repr)
def test_should_not_take_an_execution_for_ended_that_cannot_be_read(error: Exception) -> None:
    with pytest.raises(Unavailable):
        LambdaExecutions(client=Failing(error)).check_status("arn")


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("RUNNING", "running"),
        ("PAUSING", "running"),
        ("PAUSED", "running"),
        ("SUCCEEDED", "ended"),
        ("FAILED", "ended"),
        ("TIMED_OUT", "ended"),
        ("STOPPED", "ended"),
        ("DELETING", "ended"),
        ("OF_NEXT_YEAR", "running"),
    ],
)
def test_should_take_a_paused_execution_for_alive(status: str, found: str) -> None:
    class Answering:
        def get_durable_execution(self, **_: Any) -> Any:
            return {"Status": status}

    assert LambdaExecutions(client=Answering()).check_status("arn") == found


def test_should_know_every_status_of_an_execution() -> None:
    model: Any = boto3.client("lambda", region_name="us-east-1").meta.service_model
    known = {"RUNNING"} | EXECUTION_PAUSED | EXECUTION_ENDED
    assert set(model.shape_for("ExecutionStatus").enum) == known
