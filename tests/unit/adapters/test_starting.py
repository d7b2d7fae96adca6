"""Starting the packaged workflow for who asks by MCP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from hitl_approval.adapters.starting import WorkflowStarter
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.errors import InvalidRequest, Unanswered, Unavailable
from hitl_approval.mcp.caller import Started

EVENT = {"subject": "Ship it", "requester": "rita"}
STARTED = Started("a", "arn")


class Lambda:
    """What is called, and what answers."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer or {"DurableExecutionArn": "arn"}
        self.calls: list[dict[str, Any]] = []

    def invoke(self, **given: Any) -> Any:
        self.calls.append(given)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def get_durable_execution(self, **given: Any) -> Any:
        return self.invoke(**given)


def error(code: str, status: int = 400) -> ClientError:
    said: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "Invoke")


def starter(client: Lambda, sender: Lambda | None = None) -> WorkflowStarter:
    return WorkflowStarter(client=client, sender=sender or Lambda(), workflow="live")


def test_should_start_the_alias_and_know_the_id_of_the_request() -> None:
    sender = Lambda()
    started = starter(Lambda(), sender).start(EVENT, None)
    assert started == Started(derive_approval_id("arn", "document"), "arn")
    [call] = sender.calls
    assert call["FunctionName"] == "live"
    assert call["InvocationType"] == "Event"
    assert json.loads(call["Payload"]) == EVENT
    assert call["DurableExecutionName"].startswith("mcp-")


def test_should_try_again_only_what_has_a_name() -> None:
    client, sender = Lambda(), Lambda()
    starter(client, sender).start(EVENT, "mcp-1")
    assert [call["DurableExecutionName"] for call in client.calls] == ["mcp-1"]
    assert not sender.calls


def test_should_send_the_same_bytes_for_the_same_event() -> None:
    client = Lambda()
    for event in (EVENT, dict(reversed(EVENT.items()))):
        starter(client).start(event, "mcp-1")
    first, second = (call["Payload"] for call in client.calls)
    assert first == second


def test_should_refuse_a_name_that_was_used_otherwise() -> None:
    taken = Lambda(error("DurableExecutionAlreadyStartedException", 409))
    with pytest.raises(InvalidRequest, match="idempotency_key: was used"):
        starter(taken).start(EVENT, "mcp-1")


def test_should_say_that_it_was_not_started_or_that_nobody_knows() -> None:
    with pytest.raises(Unavailable):
        starter(Lambda(error("TooManyRequestsException", 429))).start(EVENT, "mcp-1")
    with pytest.raises(Unanswered):
        starter(Lambda(ReadTimeoutError(endpoint_url="x"))).start(EVENT, "mcp-1")
    with pytest.raises(ClientError):
        starter(Lambda(error("AccessDeniedException", 403))).start(EVENT, "mcp-1")


def test_should_know_nothing_while_it_runs_or_cannot_be_asked() -> None:
    assert starter(Lambda({"Status": "RUNNING"})).refusal(STARTED) is None
    assert starter(Lambda(error("ResourceNotFoundException", 404))).refusal(STARTED) is None


def test_should_say_why_no_request_was_made() -> None:
    refused = {"ErrorType": "hitl_approval.InvalidRequest", "ErrorMessage": "approvers: nobody"}
    found = starter(Lambda({"Status": "FAILED", "Error": refused})).refusal(STARTED)
    assert isinstance(found, InvalidRequest)
    assert str(found) == "approvers: nobody"
    failed = {"ErrorType": "StepError", "ErrorMessage": "x" * 1_000}
    found = starter(Lambda({"Status": "FAILED", "Error": failed})).refusal(STARTED)
    assert isinstance(found, Unavailable)
    assert len(str(found)) < 200
    found = starter(Lambda({"Status": "STOPPED"})).refusal(STARTED)
    assert "its log says why" in str(found)
