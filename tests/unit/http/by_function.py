"""The approval function, called as it is."""

from __future__ import annotations

import json
from typing import Any

from hitl_approval.http.envelope import handle
from hitl_approval.http.identity import SignIn
from hitl_approval.testing import World
from tests.anything import any_opening


def pending(world: World, **fields: Any) -> str:
    return world.store.create(any_opening(now=world.clock.now(), **fields)).approval_id


def call(
    world: World, event: Any, *, trust_authorizer: bool = False, **options: SignIn
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


def code(body: Any) -> str:
    assert set(body["error"]) == {"code", "message", "details"}
    return str(body["error"]["code"])


def snapshot(world: World) -> str:
    return repr((world.store.approvals, world.store.audit))


def jwt(**claims: Any) -> dict[str, Any]:
    return {"authorizer": {"jwt": {"claims": claims, "scopes": None}}}


ANN = {"email": "ann@x.org", "email_verified": "true", "sub": "u-1"}
