"""What signed-in people see and do: their inbox, each approval, and the same as JSON."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.reading import Reading
from hitl_approval.routes import SIGNED_IN_ROUTES, Route
from hitl_approval.testing import World
from tests.anything import declared
from tests.unit.http.by_sign_in import (
    ANN,
    BOB,
    PUBLIC,
    RITA,
    asked,
    call,
    get_json,
    post_json,
    snapshot,
)


def see(world: World, route: str, **more: Any) -> tuple[int, str]:
    answer = call(world, route, **more)
    assert answer["headers"]["Content-Type"].startswith("text/html")
    return answer["statusCode"], answer["body"]


def send(
    world: World,
    approval_id: str,
    *,
    who: str = ANN,
    origin: str | None = "https://page.example",
    **form: str,
) -> tuple[int, str]:
    """The form of an approval's page, as a browser sends it."""
    sent = {name: form.pop(name) for name in ("sec_fetch_site", "x_forwarded_host") if name in form}
    digest = world.store.approvals[approval_id].content_digest
    nonce = Reading(f"{approval_id}:{who}", digest).nonce(whole=True)
    fields = {"nonce": nonce, "comments": ""} | form
    return see(
        world,
        "POST /approvals/{approval_id}",
        approval_id=approval_id,
        who=who,
        body=urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        **({} if origin is None else {"origin": origin}),
        **sent,
    )


class TestPages:
    def test_should_show_what_awaits_whoever_reads_the_most_urgent_first(
        self, world: World
    ) -> None:
        asked(world, ANN, BOB, subject="Ship it", timeout=timedelta(hours=5))
        asked(world, ANN, subject="Pay <b>it</b>", timeout=timedelta(hours=2))
        asked(world, BOB, subject="Delete it")
        status, page = see(world, "GET /inbox")
        assert status == 200
        assert "Delete it" not in page
        assert page.index("Pay &lt;b&gt;it&lt;/b&gt;") < page.index("Ship it")
        assert "2 hours left" in page
        assert ANN in page

    def test_should_say_so_when_nothing_awaits(self, world: World) -> None:
        asked(world)
        _, page = see(world, "GET /inbox")
        assert "Nothing awaits your answer" in page
        assert "Q4 Budget Proposal" not in page
        _, page = see(world, "GET /inbox", query={"show": "pending"})
        assert "Q4 Budget Proposal" in page

    def test_should_find_by_subject_and_by_requester_whatever_their_case(
        self, world: World
    ) -> None:
        asked(world, ANN, subject="Refund 70 to Cid")
        asked(world, ANN, subject="Ship release 7")
        for search, found in (
            ({"q": "REFUND"}, True),
            ({"q": "Rita@example.com"}, True),
            ({"q": "bob@example.com"}, False),
            ({"q": "release"}, False),
        ):
            _, page = see(world, "GET /inbox", query={"show": "pending", **search})
            assert ("Refund 70 to Cid" in page) is found
        assert (
            "Nothing was found"
            in see(world, "GET /inbox", query={"show": "pending", "q": "nowhere"})[1]
        )

    def test_should_lead_to_the_next_page_and_keep_the_search(self, world: World) -> None:
        for number in range(25):
            asked(world, ANN, subject=f"Refund number {number:02}")
            world.clock.advance(timedelta(seconds=1))
        _, page = see(world, "GET /inbox", query={"show": "pending", "q": "refund"})
        assert page.count('<a href="/approvals/') == 20
        [following] = [line for line in page.splitlines() if "Next page" in line]
        href = following.split('href="/inbox?')[1].split('"')[0].replace("&amp;", "&")
        query = {name: values[0] for name, values in parse_qs(href).items()}
        assert query["q"] == "refund"
        _, page = see(world, "GET /inbox", query=query)
        assert page.count('<a href="/approvals/') == 5
        assert "Next page" not in page

    @pytest.mark.parametrize(
        ("query", "status", "said"),
        [
            ({"show": "everything"}, 404, "There is no such list"),
            ({"show": "pending", "cursor": "garbage"}, 400, "is not one that a list gave"),
            ({"cursor": "x" * 2000}, 400, "must be at most 1000 characters"),
            ({"show": "pending", "q": "a\u202eb"}, 400, "must not contain control"),
        ],
    )
    def test_should_say_in_a_page_what_was_not_understood(
        self, world: World, query: dict[str, str], status: int, said: str
    ) -> None:
        answered, page = see(world, "GET /inbox", query=query)
        assert answered == status
        assert said in page

    def test_should_show_an_approval_its_votes_and_its_verified_history(self, world: World) -> None:
        approval_id = asked(world, ANN, BOB, policy=Policy(quorum=Quorum.everyone()))
        world.decisions.decide(approval_id, declared(BOB), "approved", "fine by me")
        status, page = see(world, "GET /approvals/{approval_id}", approval_id=approval_id)
        assert status == 200
        for shown in (
            "1 of 2 approvals; ann@example.com must still answer",
            "fine by me",
            "requested",
            "voted",
            "The trail verifies",
        ):
            assert shown in page
        assert " checked" not in page.split("</style>")[1]
        assert "Your link" not in page

    def test_should_say_when_the_trail_does_not_verify(self, world: World) -> None:
        approval_id = asked(world, ANN)
        [event] = world.store.audit[approval_id]
        world.store.audit[approval_id] = [{**event, "actor": "mallory"}]
        _, page = see(world, "GET /approvals/{approval_id}", approval_id=approval_id)
        assert "This trail does not verify" in page

    @pytest.mark.parametrize("decision", ["approved", "rejected"])
    def test_should_take_a_decision_under_the_verified_identity(
        self, world: World, decision: str
    ) -> None:
        policy = Policy(require_verified_identity=True)
        approval_id = asked(world, ANN, policy=policy)
        status, page = send(world, approval_id, decision=decision, comments="read it")
        approval = world.store.approvals[approval_id]
        assert status == 200
        assert f"You {decision} this" in page
        assert (approval.status, approval.decided_by) == (decision, ANN)
        assert approval.votes[0].identity == "jwt"
        assert world.callbacks.completed == ["callback-1"]

    @pytest.mark.parametrize("who", ["cid@example.com", RITA])
    def test_should_only_show_to_who_may_not_decide(self, world: World, who: str) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        _, page = see(world, "GET /approvals/{approval_id}", approval_id=approval_id, who=who)
        assert "Others are asked to decide this" in page
        assert 'name="decision"' not in page
        assert ('name="say"' in page) == (who == RITA)  # who asked may add something
        status, page = send(world, approval_id, decision="approved", who=who)
        assert status == 403 or "Others are asked" in page
        assert snapshot(world) == before

    def test_should_say_that_nobody_acts_on_the_decision_any_more(self, world: World) -> None:
        approval_id = asked(world, ANN, callback_id=None)
        world.executions.ended.add(world.store.approvals[approval_id].execution_arn)
        status, page = send(world, approval_id, decision="approved")
        assert status == 200
        assert "You approved this" in page
        assert "the workflow that asked has ended and will not act on it" in page

    def test_should_let_anyone_signed_in_answer_a_request_that_names_nobody(
        self, world: World
    ) -> None:
        approval_id = asked(world)
        _, page = see(world, "GET /approvals/{approval_id}", approval_id=approval_id)
        assert "0 of 1 approvals; anyone with access can still answer" in page
        assert "You approved this" in send(world, approval_id, decision="approved")[1]

    def test_should_ask_again_for_what_is_missing(self, world: World) -> None:
        approval_id = asked(world, ANN, policy=Policy(require_comment_on_rejection=True))
        before = snapshot(world)
        for form, said in (({}, "Please choose"), ({"decision": "rejected"}, "Please say why")):
            status, page = send(world, approval_id, **form)
            assert status == 400
            assert said in page
        assert snapshot(world) == before

    @pytest.mark.parametrize(
        "forged",
        [
            {"origin": None},
            {"origin": None, "sec_fetch_site": "none"},
            {"origin": "null"},
            {"origin": "null", "sec_fetch_site": "cross-site"},
            {"origin": "https://evil.example"},
            {"origin": "https://evil.example//page.example"},
            {"origin": "https://evil.example", "sec_fetch_site": "none"},
            {"origin": "https://evil.example", "x_forwarded_host": "evil.example"},
            {"origin": PUBLIC, "sec_fetch_site": "cross-site"},
            {"origin": "https://page.example", "sec_fetch_site": "cross-site"},
            {"origin": "https://page.example", "sec_fetch_site": "same-site"},
            {"origin": "https://page.example", "sec_fetch_site": "same-origin,cross-site"},
            {"origin": "http://approve.example.com"},
            {"origin": "https://approve.example.com:8443"},
            {"origin": "https://approve.example.com.evil.example"},
            {"nonce": "0" * 64},
            {"nonce": "é"},
        ],
    )
    def test_should_take_no_form_but_its_own(self, world: World, forged: dict[str, Any]) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        assert send(world, approval_id, decision="approved", **forged)[0] == 403
        assert snapshot(world) == before

    @pytest.mark.parametrize(
        "sent",
        [
            {"origin": "https://page.example"},
            {"origin": "https://page.example", "sec_fetch_site": "none"},
            {"origin": PUBLIC},
            {"origin": "https://proxy.example", "sec_fetch_site": "same-origin"},
            {"origin": "null", "sec_fetch_site": "same-origin"},
            {"origin": None, "sec_fetch_site": "same-origin"},
        ],
    )
    def test_should_take_its_own_form_under_whatever_name_it_is_reached(
        self, world: World, sent: dict[str, Any]
    ) -> None:
        approval_id = asked(world, ANN)
        assert send(world, approval_id, decision="approved", **sent)[0] == 200
        assert world.store.approvals[approval_id].status == "approved"

    def test_should_show_who_was_quicker(self, world: World) -> None:
        approval_id = asked(world, ANN, BOB)
        world.decisions.decide(approval_id, declared(BOB), "rejected", "no")
        status, page = send(world, approval_id, decision="approved")
        assert status == 200
        assert f"Rejected by {BOB}" in page

    @pytest.mark.parametrize("approval_id", ["unknown", "a b", "x" * 65])
    def test_should_say_that_there_is_no_such_approval(
        self, world: World, approval_id: str
    ) -> None:
        route = "GET /approvals/{approval_id}"
        status, page = see(world, route, approval_id=approval_id)
        assert status == 404
        assert "There is no such approval" in page

    def test_should_change_nothing_by_being_read(self, world: World) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        for path, methods in SIGNED_IN_ROUTES.items():
            for method in methods:
                if method != "POST":
                    call(world, f"{method} {path}", approval_id=approval_id)
        assert snapshot(world) == before


def jwt(**claims: Any) -> dict[str, Any]:
    return {"jwt": {"claims": claims, "scopes": None}}


NAMES_NOBODY: dict[str, tuple[dict[str, Any], str]] = {
    "nobody": ({}, "nobody has signed in"),
    "a Lambda authorizer": ({"lambda": {"email": ANN}}, "nobody has signed in"),
    "an access token": (
        jwt(sub=ANN, token_use="access", username=ANN, email=ANN, email_verified="true"),
        "this is an access token: send the ID token",
    ),
    "a subject like an address": (jwt(sub=ANN), "no e-mail address that its issuer has verified"),
    "an e-mail not verified": (
        jwt(sub="u-1", email=ANN, email_verified="false"),
        "no e-mail address that its issuer has verified",
    ),
}


class TestSignIn:
    @pytest.mark.parametrize("how", NAMES_NOBODY)
    @pytest.mark.parametrize("path", list(SIGNED_IN_ROUTES))
    def test_should_answer_nobody_who_has_not_signed_in(
        self, world: World, path: str, how: str
    ) -> None:
        approval_id = asked(world, ANN)
        before = snapshot(world)
        authorizer, why = NAMES_NOBODY[how]
        more: dict[str, Any] = {"approval_id": approval_id, "authorizer": authorizer}
        for method in SIGNED_IN_ROUTES[path]:
            if path.startswith("/v1/"):
                status, body = get_json(world, f"{method} {path}", body="{}", **more)
                assert (status, body["error"]["code"]) == (401, "UNAUTHENTICATED")
                said = body["error"]["message"]
            else:
                status, said = see(world, f"{method} {path}", **more)
                assert status == 401
                assert "Please sign in" in said
            assert why in said
            assert "Q4" not in said
        assert snapshot(world) == before

    def test_should_take_one_sign_in_for_one_person_whichever_of_its_tokens_comes(
        self, world: World
    ) -> None:
        policy = Policy(quorum=Quorum.at_least(2), require_verified_identity=True)
        approval_id = asked(world, policy=policy)
        decision = {"decision": "approved"}
        route, tokens = f"POST {Route.V1_DECISION}", NAMES_NOBODY["an access token"][0]
        first, _ = post_json(world, route, decision, approval_id=approval_id)
        second, _ = post_json(world, route, decision, approval_id=approval_id, authorizer=tokens)
        assert (first, second) == (200, 401)
        approval = world.store.approvals[approval_id]
        assert [vote.approver for vote in approval.votes] == [ANN]
        assert approval.pending

    def test_should_name_people_by_the_claim_that_the_deployment_says(self, world: World) -> None:
        approval_id = asked(world, "u-1")
        status, body = post_json(
            world,
            f"POST {Route.V1_DECISION}",
            {"decision": "approved"},
            approval_id=approval_id,
            authorizer=jwt(sub="u-1", email=ANN, email_verified="true"),
            claim="sub",
        )
        assert (status, body["decided_by"]) == (200, "u-1")

    def test_should_log_neither_names_nor_contents_when_something_breaks(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        approval_id = asked(world, ANN)

        def broken(_: str) -> None:
            raise RuntimeError(ANN)

        monkeypatch.setattr(type(world.store), "get", lambda self, name: broken(name))
        with caplog.at_level(logging.DEBUG):
            status, page = see(world, "GET /approvals/{approval_id}", approval_id=approval_id)
        assert status == 500
        assert "Something went wrong" in page
        assert ANN not in caplog.text


def test_should_search_a_bounded_part_and_say_where_to_go_on(world: World) -> None:
    for _ in range(1_150):
        asked(world, subject="Other")
        world.clock.advance(timedelta(seconds=1))
    page = world.decisions.list_by_status("pending", limit=20, cursor=None, subject="budget")
    assert page.items == []
    assert page.cursor is not None
    rest = world.decisions.list_by_status("pending", limit=200, cursor=page.cursor, subject="other")
    assert len(rest.items) == 150
    assert rest.cursor is None
