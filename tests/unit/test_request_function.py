"""The request function answers each asker for its own executions, and nobody else."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from hitl_approval.domain.request_key import RequestKey
from hitl_approval.request_function import answer
from hitl_approval.testing import World
from hitl_approval.usecases.ask import Defaults, DirectRequests
from tests.asking import ALIAS, EXECUTION, FUNCTION

KEY = RequestKey(EXECUTION, "refund")
SUBMIT = {
    "protocol": 1,
    "operation": "submit",
    "execution_arn": EXECUTION,
    "key": "refund",
    "request": {"subject": "Refund 7", "requester": "agent"},
    "timeout_seconds": 3600,
    "members": None,
    "creation_token": "token",
    "callback_id": "callback",
}


def answered(world: World, event: Any, invoked: str = ALIAS) -> dict[str, Any]:
    return answer(event, invoked, DirectRequests(world.requests, Defaults()))


def test_should_answer_an_asker_for_its_own_execution(world: World) -> None:
    assert answered(world, SUBMIT)["answer"]["status"] == "pending"
    assert answered(world, {**SUBMIT, "operation": "check_status"})["answer"]["status"] == "pending"


OTHERS = {
    "another function's": EXECUTION.replace(":refund:", ":payout:"),
    "one whose name begins so": EXECUTION.replace(":refund:", ":refund-all:"),
    "another account's": EXECUTION.replace("123456789012", "210987654321"),
    "another region's": EXECUTION.replace("us-east-1", "eu-west-1"),
    "a name alone": "refund",
    "the function's ARN alone": EXECUTION.partition(":1/")[0],
    "none, under the asker's name": EXECUTION.partition(":1/")[0] + ":",
    "one with more behind it": f"{EXECUTION}#payout",
    "one with a line behind it": f"{EXECUTION}\n",
    "one that leads elsewhere": EXECUTION.replace("/a/b", "/../b"),
    "one of a version that is none": EXECUTION.replace(":1/", ":payout:1/"),
}
OPERATIONS = [
    "submit",
    "notify",
    "note_notification_failed",
    "register_callback",
    "check_status",
    "read_context",
    "abandon",
    "withdraw",
]


@pytest.mark.parametrize("execution", list(OTHERS))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_should_refuse_an_execution_that_is_not_the_askers(
    world: World, operation: str, execution: str
) -> None:
    theirs = {**SUBMIT, "execution_arn": OTHERS[execution], "approval": "refund", "reason": "x"}
    before = dict(world.store.approvals)

    said = answered(world, {**theirs, "operation": operation})

    assert said["error"]["code"] == "FORBIDDEN"
    assert world.store.approvals == before
    assert not world.notifier.sent


@pytest.mark.parametrize(
    "invoked", [FUNCTION, f"{FUNCTION}:$LATEST", f"{FUNCTION}:1", f"{FUNCTION}:payout", ""]
)
def test_should_refuse_whoever_invokes_it_otherwise(world: World, invoked: str) -> None:
    assert answered(world, SUBMIT, invoked)["error"]["code"] == "FORBIDDEN"
    assert not world.store.approvals


NESTED = functools.reduce(lambda inner, _: [inner], range(100_000), 1)  # type: ignore[arg-type,return-value]
"""Deeper than Python writes out."""
GARBLED: dict[str, tuple[Any, str]] = {
    "a list": ([], "event: must be an object, got a list"),
    "null": (None, "event: must be an object, got null"),
    "nothing counted": ({**SUBMIT, "counted": {}}, "counted: must be a time to decide that was"),
    "counted for another": (
        {
            **SUBMIT,
            "counted": {
                "expires_at": "2099-01-01T00:00:00+00:00",
                "timeout_seconds": 1,
                "reminder_seconds": [],
            },
        },
        "timeout: was counted for another request",
    ),
    "another protocol": ({**SUBMIT, "protocol": 2}, "protocol: must be 1, got 2: deploy both"),
    "no protocol": ({}, "protocol: must be 1, got None"),
    "no execution": ({"protocol": 1}, "execution_arn: must be a string of 1 to 2048"),
    "a key that is none": ({**SUBMIT, "key": 7}, "key: must be a string"),
    "a key with half a character": ({**SUBMIT, "key": "k\ud800"}, "key: contains a lone surrogate"),
    "a protocol that is nested": (
        {**SUBMIT, "protocol": NESTED},
        "protocol: must be 1, got a list",
    ),
    "a token with half a character": (
        {**SUBMIT, "creation_token": "\ud800"},
        "creation_token: contains a lone surrogate",
    ),
    "a token of several lines": (
        {**SUBMIT, "creation_token": "a\nb"},
        "creation_token: must be printable ASCII",
    ),
    "a callback of several lines": (
        {**SUBMIT, "callback_id": "a\nb"},
        "callback_id: must be printable ASCII",
    ),
    "a callback of wide letters": (
        {**SUBMIT, "callback_id": "\U0001f600" * 2048},
        "callback_id: must be printable ASCII",
    ),
    "an endless key": ({**SUBMIT, "key": "k" * 2049}, "key: must be a string"),
    "another operation": (
        {**SUBMIT, "operation": "decide"},
        "operation: must be one of submit, notify,",
    ),
    "an execution with half a character": (
        {**SUBMIT, "execution_arn": f"{EXECUTION}\ud800"},
        "execution_arn: contains a lone surrogate",
    ),
    "no request": ({**SUBMIT, "request": None}, "request: must be an object, got null"),
    "an empty request": ({**SUBMIT, "request": {}}, "subject: is required"),
    "a field more": (
        {**SUBMIT, "request": {**SUBMIT["request"], "status": "approved"}},  # type: ignore[dict-item]
        "status: is no field of a request that this deployment knows",
    ),
    "a quorum that is none": (
        {**SUBMIT, "request": {**SUBMIT["request"], "quorum": 0}},  # type: ignore[dict-item]
        "quorum: must be an object, got a number",
    ),
    "a quorum of nobody": (
        {
            **SUBMIT,
            "request": {
                **SUBMIT["request"],  # type: ignore[dict-item]
                "quorum": {"quorum": "at_least", "quorum_count": 0},
            },
        },
        "quorum: quorum_count must be a whole number of at least 1, got 0",
    ),
    "no time": ({**SUBMIT, "timeout_seconds": "60"}, "timeout_seconds: must be a whole number"),
    "more time than Lambda has": (
        {**SUBMIT, "timeout_seconds": 10**9},
        "timeout_seconds: must be at most 31622400",
    ),
    "members that are none": ({**SUBMIT, "members": ["bob"]}, "members: must be an object"),
    "no token": ({**SUBMIT, "creation_token": None}, "creation_token: must be a string"),
    "a callback that is none": ({**SUBMIT, "callback_id": {}}, "callback_id: must be a string"),
    "a reason that is none": (
        {**SUBMIT, "operation": "withdraw", "approval": "refund", "reason": 7},
        "reason: must be a string",
    ),
}


@pytest.mark.parametrize("case", list(GARBLED))
def test_should_refuse_a_message_in_a_sentence(world: World, case: str) -> None:
    event, message = GARBLED[case]
    said = answered(world, event)
    assert said["error"]["code"] == "INVALID_REQUEST"
    assert said["error"]["message"].startswith(message)
    assert not world.store.approvals
