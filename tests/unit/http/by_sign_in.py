"""Somebody who has signed in, and what awaits them."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from hitl_approval.http.identity import SignIn
from hitl_approval.http.openapi import document
from hitl_approval.http.signed_in import handle
from hitl_approval.testing import World
from tests.anything import any_opening, any_request

ANN, BOB, RITA = "ann@example.com", "bob@example.com", "rita@example.com"

PUBLIC = "https://approve.example.com"
"""Where the page is reached, as the deployment has it; the API's own name is `page.example`."""


def asked(
    world: World,
    *approvers: str,
    subject: str = "Q4 Budget Proposal",
    content: dict[str, Any] | None = None,
    **fields: Any,
) -> str:
    asked = {"approvers": approvers, "subject": subject, "requester": RITA}
    request = any_request(**asked | (content or {}))
    opening = any_opening(now=world.clock.now(), request=request, **fields)
    approval = world.store.create(opening)
    world.inbox.add(approval, approval.deciders)
    return approval.approval_id


def call(
    world: World,
    route: str,
    *,
    who: str | None = ANN,
    approval_id: str = "",
    query: dict[str, str] | None = None,
    body: str | None = None,
    authorizer: Any = None,
    claim: str = "email",
    **headers: str,
) -> dict[str, Any]:
    """As an HTTP API with a JWT authorizer calls the function."""
    claims = {"sub": "11111111-2222", "email": who, "email_verified": "true", "token_use": "id"}
    if authorizer is None:
        authorizer = {"jwt": {"claims": claims, "scopes": None}} if who else {}
    event = {
        "version": "2.0",
        "routeKey": route,
        "requestContext": {"authorizer": authorizer, "domainName": "page.example"},
        "pathParameters": {"approval_id": approval_id} if approval_id else None,
        "queryStringParameters": query,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "body": body,
    }
    answer = handle(
        event, lambda: world.decisions, sign_in=SignIn(claim), page_url=f"{PUBLIC}/people"
    )
    assert answer["headers"]["Cache-Control"] == "no-store"
    return answer


def get_json(world: World, route: str, **more: Any) -> tuple[int, Any]:
    answer = call(world, route, **more)
    assert answer["headers"]["Content-Type"] == "application/json"
    body = json.loads(answer["body"])
    method, _, path = route.partition(" ")
    documented = document()["paths"][path][method.lower()]["responses"]
    schema = documented[str(answer["statusCode"])]["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": document()["components"]}).validate(body)
    return answer["statusCode"], body


def post_json(world: World, route: str, fields: Any, **more: Any) -> tuple[int, Any]:
    more.setdefault("content_type", "application/json")
    return get_json(world, route, body=json.dumps(fields), **more)


def snapshot(world: World) -> str:
    return repr((world.store.approvals, world.store.audit, world.callbacks.completed))
