"""The JSON API of who has signed in."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.openapi import document
from hitl_approval.routes import SIGNED_IN_ROUTES, Route
from hitl_approval.testing import World
from tests.unit.http.by_sign_in import (
    ANN,
    BOB,
    RITA,
    asked,
    get_json,
    post_json,
    snapshot,
)


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

    def test_should_let_another_answer_and_say_in_whose_place(self, world: World) -> None:
        approval_id = asked(world, ANN, content={"context": {"iban": "DE1"}, "sensitive": ["iban"]})
        _, masked = get_json(world, f"GET {Route.V1_APPROVAL}", approval_id=approval_id, who=BOB)
        assert masked["context"] == {"iban": "(shown on the page)"}
        status, said = post_json(
            world, f"POST {Route.V1_DELEGATION}", {"to": BOB, "until": "2026-01-12T00:00:00Z"}
        )
        assert (status, said["given"]["identity"]) == (200, "jwt")
        _, said = get_json(world, f"GET {Route.V1_DELEGATION}", who=BOB)
        assert [one["giver"] for one in said["received"]] == [ANN]
        _, inbox = get_json(world, f"GET {Route.V1_INBOX}", who=BOB)
        assert [item["on_behalf_of"] for item in inbox["approvals"]] == [ANN]
        _, whole = get_json(world, f"GET {Route.V1_APPROVAL}", approval_id=approval_id, who=BOB)
        assert whole["context"] == {"iban": "DE1"}
        decision = {"decision": "approved"}
        route = f"POST {Route.V1_DECISION}"
        _, done = post_json(world, route, decision, approval_id=approval_id, who=BOB)
        assert done["votes"][0]["on_behalf_of"] == ANN
        assert done["context"] == {"iban": "DE1"}
        status, body = post_json(world, route, decision, approval_id=approval_id)
        assert (status, body["error"]["code"]) == (409, "APPROVAL_ALREADY_DECIDED")

    def test_should_end_what_was_said_by_whose_it_is_only(self, world: World) -> None:
        until = {"to": BOB, "until": "2026-01-12T00:00:00Z"}
        post_json(world, f"POST {Route.V1_DELEGATION}", until)
        route = f"DELETE {Route.V1_DELEGATION}"
        status, body = get_json(world, route, query={"for": ANN}, who=BOB)
        assert (status, body["error"]["code"]) == (403, "FORBIDDEN")
        status, body = get_json(world, route)
        assert (status, body) == (200, {"given": None, "received": []})

    @pytest.mark.parametrize(
        "fields",
        [{}, {"to": BOB}, {"to": BOB, "until": "soon"}, {"to": 7, "until": "2026-01-12"},
         {"to": BOB, "until": "2026-01-12", "approver": BOB},
         {"to": BOB, "until": "2026-01-12", "for": None}],
    )  # fmt: skip
    def test_should_refuse_a_delegation_that_is_none(
        self, world: World, fields: dict[str, Any]
    ) -> None:
        status, body = post_json(world, f"POST {Route.V1_DELEGATION}", fields)
        assert (status, body["error"]["code"]) == (400, "INVALID_REQUEST")
        assert world.store.delegations.given == {}

    def test_should_hand_over_and_take_an_answer_back(self, world: World) -> None:
        approval_id = asked(world, ANN, "dan@example.com", policy=Policy(quorum=Quorum.everyone()))
        given = {"to": BOB, "comments": "I am away"}
        route = f"POST {Route.V1_REASSIGNMENT}"
        status, done = post_json(world, route, given, approval_id=approval_id)
        assert (status, done["handed_over"]) == (200, [{"from": ANN, "to": BOB}])
        status, body = post_json(
            world, f"POST {Route.V1_RETRACTION}", {}, approval_id=approval_id, who=BOB
        )
        assert (status, body["error"]["details"]["field"]) == (400, "approver")
        vote = {"decision": "approved"}
        post_json(world, f"POST {Route.V1_DECISION}", vote, approval_id=approval_id, who=BOB)
        status, done = post_json(
            world, f"POST {Route.V1_RETRACTION}", {}, approval_id=approval_id, who=BOB
        )
        assert (status, done["votes"], done["workflow"]) == (200, [], "waiting")
        assert [event["identity"] for event in world.store.history(approval_id)[1:]] == ["jwt"] * 3

    def test_should_let_nobody_else_hand_over(self, world: World) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        given = {"from": ANN, "to": BOB}
        status, body = post_json(
            world, f"POST {Route.V1_REASSIGNMENT}", given, approval_id=approval_id, who=BOB
        )
        assert (status, body["error"]["code"]) == (403, "FORBIDDEN")
        assert snapshot(world) == before

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
        monkeypatch.setattr(type(world.store.delegations), "of", broken)
        more: dict[str, Any] = {"approval_id": approval_id}
        if path != Route.V1_OPENAPI:
            more |= {"body": '{"decision": "approved"}', "content_type": "application/json"}
            if path in {Route.V1_CANCELLATION, Route.V1_RETRACTION}:
                more["body"] = "{}"
            if path == Route.V1_REASSIGNMENT:
                more["body"] = '{"to": "bob@example.com"}'
            if path == Route.V1_COMMENTS:
                more["body"] = '{"comments": "why?"}'
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
