"""What comes to the approval function, and what goes out: by invoke, or through an API.

One payload for both: `{"action": "decide", "approval_id": ..., "decision": "approved", ...}`
directly, or as the JSON body of an API Gateway event. Every answer is `{"statusCode", "body"}`;
every refusal's body is `{"error": {"code", "message", "details"}}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import ApprovalError, InvalidRequest
from hitl_approval.http.actions import perform
from hitl_approval.http.errors import InternalError, MethodNotAllowed
from hitl_approval.http.identity import BY_EMAIL, SignIn, identify, is_http
from hitl_approval.usecases.decide import DecisionService

logger = logging.getLogger(__name__)

MAX_BODY = 256 * 1024
"""Longest body that is parsed, in characters; the largest honest payload is 10 KB."""


def handle(
    event: Any,
    service: Callable[[], DecisionService],
    *,
    trust_authorizer: bool,
    sign_in: SignIn = BY_EMAIL,
) -> dict[str, Any]:
    """Answer one event. Never raises: what cannot be answered is a 4xx or 5xx with its code.

    Args:
        event: a direct payload or an API Gateway event.
        service: gives what decides in this deployment.
        trust_authorizer: whether identities in the event come from an authorizer.
        sign_in: how this deployment knows who has signed in.
    """

    def act() -> dict[str, Any]:
        payload = _payload(event)
        actor = identify(event, payload, trust_authorizer=trust_authorizer, sign_in=sign_in)
        return perform(payload, actor, service())

    return answer(act)


def answer(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `act` returns as a 200, or what it raises as a refusal. Never raises."""
    try:
        return _answer(200, act())
    except ApprovalError as error:
        logger.info("refused: %s", error.code)
        return _answer(error.status, error.to_dict())
    except Exception:  # the caller must get an answer, never a stack trace; the log gets it
        logger.exception("unexpected error")
        failure = InternalError("something went wrong here; the function's log has the details")
        return _answer(failure.status, failure.to_dict())


def _payload(event: Any) -> Mapping[str, Any]:
    if not isinstance(event, dict):
        raise InvalidRequest("event", f"must be an object, got {text.kind(event)}")
    if not is_http(event):
        return event
    _check_method(event)
    return body_of(event)


def _check_method(event: Mapping[str, Any]) -> None:
    request = event.get("requestContext")
    http = request.get("http") if isinstance(request, dict) else None
    method = http.get("method") if isinstance(http, dict) else event.get("httpMethod")
    if method is not None and method != "POST":
        raise MethodNotAllowed("only POST carries an action")


def body_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object in the body of an API Gateway event.

    Raises:
        InvalidRequest: there is none.
    """
    payload = _parse_body(event)
    if not isinstance(payload, dict):
        raise InvalidRequest("body", f"must be a JSON object, got {text.kind(payload)}")
    return payload


def _parse_body(event: Mapping[str, Any]) -> Any:
    body = event.get("body")
    if not isinstance(body, str):
        raise InvalidRequest("body", f"must be a string of JSON, got {text.kind(body)}")
    if len(body) > MAX_BODY:
        raise InvalidRequest("body", f"must be at most {MAX_BODY} characters, got {len(body)}")
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True).decode()
        return json.loads(body)
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidRequest("body", "is not JSON") from None


def _answer(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "body": json.dumps(body)}
