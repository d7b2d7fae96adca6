"""What the local cloud adds to the engine's events, as AWS has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_durable_execution_sdk_python_testing.model import Event as UpstreamEvent

from .harness import Deployed, any_name


def details(function: Deployed, arn: str, kind: str) -> list[dict[str, Any]]:
    """The details of all events of a kind."""
    return [e[f"{kind}Details"] for e in function.events(arn) if e["EventType"] == kind]


def test_should_say_when_each_invocation_began_and_ended(durable: Deployed) -> None:
    arn = durable.start({"do": "wait", "seconds": 1})
    durable.ended(arn)
    first, second = details(durable, arn, "InvocationCompleted")
    assert first["StartTimestamp"] <= first["EndTimestamp"] <= second["StartTimestamp"]
    assert first["RequestId"] != second["RequestId"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {}),
        ({"timeout": 60}, {"Timeout": 60}),
        ({"heartbeat": 30}, {"HeartbeatTimeout": 30}),
        ({"timeout": 60, "heartbeat": 30}, {"Timeout": 60, "HeartbeatTimeout": 30}),
    ],
)
def test_should_say_how_long_a_callback_is_waited_for(
    durable: Deployed, asked: dict[str, int], expected: dict[str, int]
) -> None:
    arn = durable.start({"do": "ask", **asked})
    callback_id = durable.callback_id(arn)
    [started] = details(durable, arn, "CallbackStarted")
    assert started == {"CallbackId": callback_id, **expected}


@pytest.mark.usefixtures("counters")
def test_should_say_on_which_attempt_a_step_has_succeeded(durable: Deployed) -> None:
    arn = durable.start({"do": "retry", "counter": any_name("counter")})
    assert durable.result(arn) == 3
    failed = [e["RetryDetails"]["CurrentAttempt"] for e in details(durable, arn, "StepFailed")]
    [succeeded] = details(durable, arn, "StepSucceeded")
    assert [*failed, succeeded["RetryDetails"]["CurrentAttempt"]] == [1, 2, 3]


@pytest.mark.usefixtures("counters")
def test_should_record_an_invocation_whose_process_died(durable: Deployed) -> None:
    arn = durable.start({"do": "dies", "counter": any_name("counter")})
    assert durable.result(arn) == 2
    first, last = details(durable, arn, "InvocationCompleted")
    assert first["Error"]["Payload"]["ErrorMessage"] == "Worker process died"
    assert first["StartTimestamp"] < first["EndTimestamp"] <= last["StartTimestamp"]
    assert "Error" not in last


def test_should_keep_each_state_that_a_polled_condition_hands_on(durable: Deployed) -> None:
    arn = durable.start({"do": "poll"})
    durable.ended(arn)
    states = [each["Result"] for each in details(durable, arn, "StepSucceeded")]
    assert [json.loads(state["Payload"]) for state in states] == [[0], [0, 1], [0, 1, 2]]
    brief = durable.lambda_.get_durable_execution_history(
        DurableExecutionArn=arn, IncludeExecutionData=False
    )
    assert "[0" not in str(brief["Events"])


def test_should_say_which_version_a_workflow_invokes(durable: Deployed) -> None:
    arn = durable.start(
        {"do": "call", "function": f"{durable.name}:live", "payload": {"do": "echo"}}
    )
    durable.ended(arn)
    [invoked] = details(durable, arn, "ChainedInvokeStarted")
    assert invoked["ExecutedVersion"] == "1"


def test_should_still_lose_the_details_of_an_invocation_when_numbered() -> None:
    event = UpstreamEvent.from_dict(
        {
            "EventType": "InvocationCompleted",
            "EventTimestamp": 0,
            "InvocationCompletedDetails": {
                "StartTimestamp": 0,
                "EndTimestamp": 0,
                "RequestId": "one",
            },
        }
    )
    assert event.invocation_completed_details is not None
    assert UpstreamEvent.from_event_with_id(event, 1).invocation_completed_details is None
