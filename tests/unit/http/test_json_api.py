"""The JSON API of who has signed in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hitl_approval.contract import SIGNED_IN_ROUTES, Route
from hitl_approval.http.openapi import document
from hitl_approval.http.signed_in import handle
from hitl_approval.testing import World, in_memory
from tests.anything import any_opening, any_request

ANN, BOB, RITA = "ann@example.com", "bob@example.com", "rita@example.com"
PUBLIC = "https://approve.example.com"
"""Where the page is reached, as the deployment has it; the API's own name is `page.example`."""


@pytest.fixture
def world() -> World:
    return in_memory()


def asked(world: World, *approvers: str, subject: str = "Q4 Budget Proposal", **fields: Any) -> str:
    request = any_request(approvers=approvers, subject=subject, requester=RITA)
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
    answer = handle(event, lambda: world.decisions, claim=claim, page_url=f"{PUBLIC}/people")
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


class TestJson:
    def test_should_give_the_inbox_in_pages(self, world: World) -> None:
        for _ in range(3):
            asked(world, ANN)
        status, first = get_json(world, f"GET {Route.V1_INBOX}", query={"limit": "2"})
        assert status == 200
        assert len(first["approvals"]) == 2
        _, rest = get_json(world, f"GET {Route.V1_INBOX}", query={"cursor": first["cursor"]})
        assert len(rest["approvals"]) == 1
        assert rest["cursor"] is None

    def test_should_list_show_decide_and_tell_the_history(self, world: World) -> None:
        approval_id = asked(world, ANN)
        _, listed = get_json(world, f"GET {Route.V1_APPROVALS}", query={"subject": "budget"})
        assert [item["approval_id"] for item in listed["approvals"]] == [approval_id]
        _, shown = get_json(world, f"GET {Route.V1_APPROVAL}", approval_id=approval_id)
        status, done = post_json(
            world,
            f"POST {Route.V1_DECISION}",
            {"decision": "approved", "comments": "ok", "content_digest": shown["content_digest"]},
            approval_id=approval_id,
        )
        assert (status, done["status"], done["workflow"]) == (200, "approved", "resumed")
        assert done["votes"][0]["identity"] == "jwt"
        _, trail = get_json(world, f"GET {Route.V1_HISTORY}", approval_id=approval_id)
        assert trail["verified"] is True
        assert [event["event"] for event in trail["events"]] == ["requested", "approved"]
        _, listed = get_json(world, f"GET {Route.V1_APPROVALS}", query={"status": "approved"})
        assert listed["approvals"][0]["decided_by"] == ANN

    def test_should_withdraw(self, world: World) -> None:
        approval_id = asked(world, ANN)
        status, done = post_json(
            world,
            f"POST {Route.V1_CANCELLATION}",
            {"comments": "no longer needed"},
            approval_id=approval_id,
            who=RITA,
        )
        assert (status, done["status"], done["decided_by"]) == (200, "cancelled", RITA)

    def test_should_let_nobody_else_withdraw(self, world: World) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        status, body = post_json(
            world, f"POST {Route.V1_CANCELLATION}", {}, approval_id=approval_id, who=BOB
        )
        assert (status, body["error"]["code"]) == (403, "FORBIDDEN")
        assert snapshot(world) == before

    @pytest.mark.parametrize(
        ("route", "given", "status", "code"),
        [
            (Route.V1_INBOX, {"query": {"approver": BOB}}, 400, "INVALID_REQUEST"),
            (Route.V1_INBOX, {"query": {"action": "decide"}}, 400, "INVALID_REQUEST"),
            (Route.V1_APPROVALS, {"query": {"limit": "0"}}, 400, "INVALID_REQUEST"),
            (Route.V1_APPROVALS, {"query": {"limit": "ten"}}, 400, "INVALID_REQUEST"),
            (Route.V1_APPROVALS, {"query": {"status": "all"}}, 400, "INVALID_REQUEST"),
            (Route.V1_APPROVALS, {"query": {"subject": ""}}, 400, "INVALID_REQUEST"),
            (Route.V1_APPROVAL, {"approval_id": "unknown"}, 404, "APPROVAL_NOT_FOUND"),
            (Route.V1_APPROVAL, {"query": {"approval_id": "other"}}, 400, "INVALID_REQUEST"),
        ],
    )
    def test_should_refuse_with_a_code(
        self, world: World, route: str, given: dict[str, Any], status: int, code: str
    ) -> None:
        given.setdefault("approval_id", asked(world, ANN))
        answered, body = get_json(world, f"GET {route}", **given)
        assert (answered, body["error"]["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("fields", "more", "status", "code"),
        [
            ({"decision": "approved", "approver": BOB}, {}, 400, "INVALID_REQUEST"),
            ({"decision": "approved", "approval_id": "other"}, {}, 400, "INVALID_REQUEST"),
            ({"decision": "maybe"}, {}, 400, "INVALID_REQUEST"),
            ([], {}, 400, "INVALID_REQUEST"),
            ({"decision": "approved", "content_digest": "0" * 64}, {}, 409, "APPROVAL_CHANGED"),
            ({"decision": "approved"}, {"who": BOB}, 403, "FORBIDDEN"),
            (
                {"decision": "approved"},
                {"content_type": "text/plain"},
                415,
                "UNSUPPORTED_MEDIA_TYPE",
            ),
        ],
    )
    def test_should_take_no_decision_that_is_not_whole(
        self, world: World, fields: Any, more: dict[str, str], status: int, code: str
    ) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        answered, body = post_json(
            world, f"POST {Route.V1_DECISION}", fields, approval_id=approval_id, **more
        )
        assert (answered, body["error"]["code"]) == (status, code)
        assert snapshot(world) == before

    @pytest.mark.parametrize("path", [path for path in SIGNED_IN_ROUTES if "/v1/" in path])
    def test_should_answer_in_json_whatever_breaks(
        self, world: World, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        approval_id = asked(world, ANN)

        def broken(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        for name in ("get", "list_by_status", "history"):
            monkeypatch.setattr(type(world.store), name, broken)
        monkeypatch.setattr(type(world.inbox), "awaiting", broken)
        more: dict[str, Any] = {"approval_id": approval_id}
        if path != Route.V1_OPENAPI:
            more |= {"body": '{"decision": "approved"}', "content_type": "application/json"}
            if path == Route.V1_CANCELLATION:
                more["body"] = "{}"
        status, _ = get_json(world, f"{SIGNED_IN_ROUTES[path][0]} {path}", **more)
        assert status == (200 if path == Route.V1_OPENAPI else 500)

    def test_should_serve_a_document_of_exactly_these_routes(self, world: World) -> None:
        _, served = get_json(world, f"GET {Route.V1_OPENAPI}")
        assert served == document()
        documented = {
            (path, method.upper())
            for path, methods in served["paths"].items()
            for method in methods
            if method != "parameters"
        }
        routed = {
            (path, method)
            for path, methods in SIGNED_IN_ROUTES.items()
            for method in methods
            if path.startswith("/v1/")
        }
        assert documented == routed
