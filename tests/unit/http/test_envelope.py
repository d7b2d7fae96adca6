"""What the approval function takes and answers: an API Gateway body, an error without a trace."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hitl_approval.http.envelope import handle
from hitl_approval.testing import World
from tests.unit.http.by_function import call, decide, pending


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
