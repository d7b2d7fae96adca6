"""Questions and answers on the page: by a link and signed in, escaped, and never a decision."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.thread import MAX_COMMENTS
from hitl_approval.routes import Route
from hitl_approval.testing import World
from tests.anything import any_request, declared
from tests.unit.http import by_sign_in
from tests.unit.http.by_link import (
    asked,
    call,
    deliver,
    nonce_of,
    send,
    shown_in,
    snapshot,
    token_of,
)

QUESTION = "Which cost centre?"


def say_nonce(page: str) -> str:
    return str(re.findall(r'name="say_nonce" value="([0-9a-f]{64})"', page)[0])


def say(world: World, token: str, way: str, said: str, **more: str) -> tuple[int, str]:
    _, page = call(world, token)
    form = {"say_nonce": say_nonce(page), "say": way, "said": said, **more}
    return call(world, token, "POST", form)


def asked_back(world: World, **fields: object) -> tuple[str, str]:
    """Bob asks rita by his link; the approval's id, and the token of the link that rita is sent."""
    approval_id = asked(world, **fields)  # type: ignore[arg-type]
    say(world, token_of(world, "bob"), "question", QUESTION)
    deliver(world, approval_id)
    return approval_id, token_of(world, "rita")


def test_should_ask_by_a_link_and_say_that_the_time_goes_on(world: World) -> None:
    approval_id = asked(world)
    status, page = say(world, token_of(world, "bob"), "question", QUESTION)
    shown = shown_in(page)
    assert status == 200
    assert "Your question is on record. It is sent to whoever subscribed to messages for rita" in (
        shown
    )
    assert "still expires at 2026-01-02 04:04 UTC, in 1 hour" in shown
    event = world.store.history(approval_id)[-1]
    assert (event["event"], event["actor"], event["identity"]) == ("commented", "bob", "link")
    assert world.store.approvals[approval_id].pending


def test_should_show_everybody_what_was_asked_before_the_form_that_decides(world: World) -> None:
    asked_back(world)
    _, page = call(world, token_of(world, "ann"))
    assert page.index(QUESTION) < page.index("Your decision")
    assert "not answered yet" in page


def test_should_let_the_requester_answer_by_their_own_link_and_tell_who_asked(world: World) -> None:
    approval_id, rita = asked_back(world)
    _, page = call(world, rita)
    assert "You are asked about your request" in page
    assert page.index(QUESTION) < page.index("What is asked")
    status, page = say(world, rita, "answer", "4711", answers="2")
    assert status == 200
    assert "Your answer is on record. It is sent to whoever subscribed to messages for bob" in (
        shown_in(page)
    )
    deliver(world, approval_id)
    assert world.notifier.sent[-1].recipient == "bob"
    _, page = call(world, token_of(world, "bob"))
    assert page.index(QUESTION) < page.index("4711") < page.index("Your decision")
    assert "not answered yet" not in page


@pytest.mark.parametrize("self_approval", [False, True])
def test_should_never_decide_by_a_link_that_answers(world: World, self_approval: bool) -> None:
    """Who asked is an onlooker there, even where they may decide by another link of theirs."""
    request = any_request(approvers=("bob", "rita"))
    approval_id = asked(world, request=request, policy=Policy(allow_self_approval=self_approval))
    say(world, token_of(world, "bob"), "question", QUESTION)
    deliver(world, approval_id)
    rita = token_of(world, "rita")
    assert world.notifier.sent[-1].kind == "question"
    _, page = call(world, rita)
    assert 'name="decision"' not in page
    assert not re.findall(r'name="nonce"', page)
    before = snapshot(world)
    forms = [
        {"decision": "approved", "nonce": say_nonce(page), "say_nonce": say_nonce(page)},
        {"decision": "approved", "nonce": nonce_of(call(world, token_of(world, "bob"))[1])},
        {"decision": "approved", "say": "approve", "say_nonce": say_nonce(page)},
    ]
    for form in forms:
        call(world, rita, "POST", form)
    assert snapshot(world) == before
    assert world.store.approvals[approval_id].pending


def test_should_take_no_nonce_of_the_one_form_for_the_other(world: World) -> None:
    asked(world)
    bob = token_of(world, "bob")
    _, page = call(world, bob)
    before = snapshot(world)
    for form in (
        {"nonce": say_nonce(page), "decision": "approved"},
        {"say_nonce": nonce_of(page), "say": "question", "said": QUESTION},
        {"say": "question", "said": QUESTION},
        {"say_nonce": say_nonce(call(world, token_of(world, "ann"))[1]), "say": "question",
         "said": QUESTION},
    ):  # fmt: skip
        assert call(world, bob, "POST", form)[0] == 403
    assert snapshot(world) == before


@pytest.mark.parametrize(
    ("way", "said", "more", "problem"),
    [
        ("question", "", {}, "must not be empty"),
        ("comment", "\u200b", {}, "must not be empty"),
        ("question", "x" * 2_001, {}, "at most 2000 characters"),
        ("question", "why\u202e", {}, "U+202E"),
        ("answer", "4711", {"answers": "1"}, "nothing was asked"),
        ("answer", "4711", {"answers": "9" * 5_000}, "must be the number of a question"),
        ("answer", "4711", {"answers": "²"}, "must be the number of a question"),
        ("answer", "4711", {}, "must be the number of a question"),
        ("approved", "4711", {}, "must be one of question, comment, answer"),
    ],
)
def test_should_say_what_is_wrong_and_keep_what_was_typed(
    world: World, way: str, said: str, more: dict[str, str], problem: str
) -> None:
    asked(world)
    before = snapshot(world)
    status, page = say(world, token_of(world, "bob"), way, said, **more)
    assert status == 400
    assert problem in unescape(page)
    assert snapshot(world) == before
    if said == "4711" and not more:
        assert ">4711</textarea>" in page


def test_should_show_what_people_wrote_escaped_and_inert(world: World) -> None:
    asked(world)
    hostile = '<script>alert(1)</script> & "quotes" https://evil.example {{ 7 * 7 }}\u200b'
    say(world, token_of(world, "bob"), "question", hostile)
    _, page = call(world, token_of(world, "ann"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert 'href="https://evil.example' not in page
    assert "{{ 7 * 7 }}" in page
    assert "\\u200b" in page


def test_should_not_change_what_is_approved(world: World) -> None:
    approval_id = asked(world)
    bob, ann = token_of(world, "bob"), token_of(world, "ann")
    digest = world.store.approvals[approval_id].content_digest
    _, page = call(world, ann)
    say(world, bob, "question", QUESTION)
    form = {"nonce": nonce_of(page), "decision": "approved", "comments": ""}
    _, page = call(world, ann, "POST", form)
    assert "You approved this" in page
    assert world.store.approvals[approval_id].content_digest == digest


def test_should_demand_the_code_for_a_question_too(world: World) -> None:
    approval_id = asked(world, challenge=True)
    bob = token_of(world, "bob")
    _, page = call(world, bob)
    assert page.count('name="challenge"') == 3  # to decide, to hand over, to ask
    status, page = say(world, bob, "question", QUESTION)
    assert status == 400
    assert "That is not the code of this request" in page
    assert world.store.approvals[approval_id].thread_length == 0
    code = world.store.approvals[approval_id].challenge or ""
    assert say(world, bob, "question", QUESTION, challenge=code)[0] == 200


def test_should_take_nothing_more_once_it_has_ended(world: World) -> None:
    approval_id, rita = asked_back(world)
    _, page = call(world, rita)
    form = {"say_nonce": say_nonce(page), "say": "answer", "said": "4711", "answers": "2"}
    send(world, token_of(world, "ann"), "approved")
    before = snapshot(world)
    status, shown = call(world, rita, "POST", form)
    assert status == 409
    assert "already approved by ann" in shown
    _, shown = call(world, rita)
    assert 'name="say"' not in shown
    assert QUESTION in shown, "what was said stays to be read"
    assert snapshot(world) == before
    assert not world.store.approvals[approval_id].pending


def test_should_offer_no_form_once_the_time_is_up(world: World) -> None:
    _, rita = asked_back(world)
    world.clock.advance(timedelta(hours=2))
    for token in (rita, token_of(world, "ann")):
        assert 'name="say"' not in call(world, token)[1]


def test_should_say_when_a_request_has_as_many_comments_as_one_takes(world: World) -> None:
    approval_id = asked(world)
    for number in range(MAX_COMMENTS):
        world.decisions.comment(approval_id, declared("ann"), f"remark {number}")
    _, page = call(world, token_of(world, "bob"))
    assert 'name="say"' not in page
    assert "This request has 50 comments, which is as many as one takes." in page
    assert all(f"remark {number}" in page for number in range(MAX_COMMENTS))
    assert 'name="decision"' in page


def test_should_change_nothing_by_opening(world: World) -> None:
    _, rita = asked_back(world)
    before = snapshot(world)
    for _ in range(3):
        call(world, rita)
        call(world, rita, "HEAD")
    assert snapshot(world) == before


class TestSignedIn:
    """The same for who has signed in."""

    def _say(self, world: World, approval_id: str, who: str, **form: str) -> tuple[int, str]:
        route = Route.APPROVAL
        page = by_sign_in.call(world, f"GET {route}", approval_id=approval_id, who=who)["body"]
        nonces = re.findall(r'name="say_nonce" value="([0-9a-f]{64})"', page)
        body = urlencode({"say_nonce": nonces[0] if nonces else "", **form})
        answer = by_sign_in.call(
            world, f"POST {route}", approval_id=approval_id, who=who, body=body,
            content_type="application/x-www-form-urlencoded", origin="https://page.example",
        )  # fmt: skip
        return answer["statusCode"], answer["body"]

    def test_should_ask_and_answer(self, world: World) -> None:
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        status, page = self._say(world, approval_id, by_sign_in.ANN, say="question", said=QUESTION)
        assert status == 200
        assert "Your question is on record. It is sent to rita@example.com." in shown_in(page)
        status, page = self._say(
            world, approval_id, by_sign_in.RITA, say="answer", said="4711", answers="2"
        )
        assert status == 200
        assert "It is sent to ann@example.com." in shown_in(page)
        identities = [e["identity"] for e in world.store.history(approval_id)[1:]]
        assert identities == ["jwt", "jwt"]

    def test_should_let_an_onlooker_read_only(self, world: World) -> None:
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        self._say(world, approval_id, by_sign_in.ANN, say="question", said=QUESTION)
        before = by_sign_in.snapshot(world)
        page = by_sign_in.call(
            world, f"GET {Route.APPROVAL}", approval_id=approval_id, who="eve@example.com"
        )["body"]
        assert QUESTION in page
        assert 'name="say"' not in page
        status, _ = self._say(world, approval_id, "eve@example.com", say="comment", said="hi")
        assert status == 403
        assert by_sign_in.snapshot(world) == before

    def test_should_refuse_an_onlooker_by_the_rules_too(self, world: World) -> None:
        """A form that was shown while somebody was still asked, say."""
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        fields = {"comments": "hello"}
        for who, status in (("eve@example.com", 403), (by_sign_in.ANN, 200)):
            answered, _ = by_sign_in.post_json(
                world, f"POST {Route.V1_COMMENTS}", fields, approval_id=approval_id, who=who
            )
            assert answered == status


class TestJson:
    """The JSON API's own way."""

    def test_should_ask_answer_and_show_the_thread(self, world: World) -> None:
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        route = f"POST {Route.V1_COMMENTS}"
        status, body = by_sign_in.post_json(
            world, route, {"comments": QUESTION, "question": True}, approval_id=approval_id
        )
        assert (status, body["to"], body["already"]) == (200, ["rita@example.com"], False)
        assert body["status"] == "pending"
        number = body["thread"][0]["sequence"]
        fields = {"comments": "4711", "answers": number}
        for already in (False, True):
            _, body = by_sign_in.post_json(
                world, route, fields, approval_id=approval_id, who=by_sign_in.RITA
            )
            assert (body["to"], body["already"]) == (["ann@example.com"], already)
        _, body = by_sign_in.get_json(
            world, f"GET {Route.V1_APPROVAL}", approval_id=approval_id, who="eve@example.com"
        )
        said = [(c["author"], c["comments"], c["question"], c["answers"]) for c in body["thread"]]
        assert said == [
            ("ann@example.com", QUESTION, True, None), ("rita@example.com", "4711", False, number),
        ]  # fmt: skip

    def test_should_show_no_thread_where_there_is_none_nor_in_lists(self, world: World) -> None:
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        _, body = by_sign_in.get_json(world, f"GET {Route.V1_APPROVAL}", approval_id=approval_id)
        assert "thread" not in body
        by_sign_in.post_json(
            world, f"POST {Route.V1_COMMENTS}", {"comments": "hello"}, approval_id=approval_id
        )
        _, page = by_sign_in.get_json(world, f"GET {Route.V1_APPROVALS}")
        assert "thread" not in page["approvals"][0]

    @pytest.mark.parametrize(
        ("fields", "status", "problem"),
        [
            ({}, 400, "must not be empty"),
            ({"comments": None}, 400, "must be a string, got null"),
            ({"comments": 7}, 400, "must be a string, got a number"),
            ({"comments": " "}, 400, "must not be empty"),
            ({"comments": "x" * 2_001}, 400, "at most 2000 characters"),
            ({"comments": "a\u202eb"}, 400, "U+202E"),
            ({"comments": "why?", "question": "yes"}, 400, "must be true or false"),
            ({"comments": "why?", "question": None}, 400, "must be true or false"),
            ({"comments": "why?", "answers": "2"}, 400, "must be the number of a question"),
            ({"comments": "why?", "answers": True}, 400, "must be the number of a question"),
            ({"comments": "why?", "answers": 2.0}, 400, "must be the number of a question"),
            ({"comments": "why?", "answers": 0}, 400, "must be the number of a question"),
            ({"comments": "why?", "answers": 10**30}, 400, "must be the number of a question"),
            ({"comments": "why?", "answers": 1}, 400, "nothing was asked"),
            ({"comments": "why?", "question": True, "answers": 1}, 400, "left out of a question"),
            ({"comments": "why?", "approver": "bob"}, 400, "must be left out"),
            ({"comments": "why?", "decision": "approved"}, 400, "is not a field of comment"),
        ],
    )
    def test_should_refuse_what_breaks_a_rule(
        self, world: World, fields: dict[str, object], status: int, problem: str
    ) -> None:
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        before = by_sign_in.snapshot(world)
        answered, body = by_sign_in.post_json(
            world, f"POST {Route.V1_COMMENTS}", fields, approval_id=approval_id
        )
        assert answered == status
        assert problem in body["error"]["message"]
        assert by_sign_in.snapshot(world) == before

    def test_should_say_when_there_are_as_many_as_one_takes(self, world: World) -> None:
        approval_id = by_sign_in.asked(world, by_sign_in.ANN)
        for number in range(MAX_COMMENTS):
            world.decisions.comment(approval_id, declared(by_sign_in.ANN), f"remark {number}")
        status, body = by_sign_in.post_json(
            world, f"POST {Route.V1_COMMENTS}", {"comments": "more"}, approval_id=approval_id
        )
        assert (status, body["error"]["code"]) == (409, "THREAD_FULL")
