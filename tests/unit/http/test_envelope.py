"""What the approval function takes and answers: an API Gateway body, an error without a trace."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hitl_approval.http.envelope import handle
from hitl_approval.testing import World, in_memory
from tests.anything import any_opening


@pytest.fixture
def world() -> World:
    return in_memory()


def pending(world: World, **fields: Any) -> str:
    return world.store.create(any_opening(now=world.clock.now(), **fields)).approval_id


def call(
    world: World, event: Any, *, trust_authorizer: bool = False, **options: str
) -> tuple[int, Any]:
    answer = handle(event, lambda: world.decisions, trust_authorizer=trust_authorizer, **options)
    assert set(answer) == {"statusCode", "body"}
    return answer["statusCode"], json.loads(answer["body"])


def decide(approval_id: Any, **fields: Any) -> dict[str, Any]:
    return {
        "action": "decide",
        "approval_id": approval_id,
        "decision": "approved",
        "approver": "test-approver",
        "comments": "Looks good, approved",
    } | fields


@pytest.mark.parametrize("encoded", [False, True])
def test_should_take_the_same_payload_as_an_api_gateway_body(world: World, encoded: bool) -> None:
    body = json.dumps(decide(pending(world)))
    event = {
        "requestContext": {"http": {"method": "POST"}},
        "body": base64.b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }
    assert call(world, event)[0] == 200


def test_should_answer_an_unexpected_error_without_its_trace(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("secret detail")

    answer = handle(decide("any"), broken, trust_authorizer=False)

    assert answer["statusCode"] == 500
    assert "secret detail" not in answer["body"]
    assert "unexpected error" in caplog.text
