"""The page of a personal link: what it shows, what it takes, and what it never does."""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.domain import link
from hitl_approval.domain.link import make_challenge, make_token
from hitl_approval.domain.policy import Policy, Quorum
from hitl_approval.domain.view import view
from hitl_approval.http.errors import UnknownLink
from hitl_approval.http.link_page import handle
from hitl_approval.http.links import open_link
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.memory import CountingSecrets
from tests.anything import any_opening, any_request, declared

APPROVERS = ("ann", "bob")


@pytest.fixture
def world() -> World:
    return in_memory()


def asked(world: World, *, challenge: bool = False, **fields: Any) -> str:
    """A request whose approvers were sent their links."""
    request = fields.pop("request", None) or any_request(approvers=APPROVERS)
    if challenge:
        fields["challenge"] = make_challenge(CountingSecrets().draw())
    approval_id = world.store.create(
        any_opening(now=world.clock.now(), request=request, **fields)
    ).approval_id
    world.requests.notify(approval_id)
    deliver(world, approval_id)
    return approval_id


def deliver(world: World, approval_id: str) -> None:
    events = world.store.history(approval_id)
    assert world.delivery.take(events) == len(events)


def token_of(world: World, approver: str) -> str:
    """From the newest message to this approver."""
    message = [m for m in world.notifier.sent if m.recipient == approver][-1]
    [token] = re.findall(r"https://approvals\.example\.com/a/(\S+)", message.body)
    return str(token)


def call(
    world: World,
    token: str,
    method: str = "GET",
    form: dict[str, str] | None = None,
    **headers: str,
) -> tuple[int, str]:
    event = {
        "requestContext": {"http": {"method": method}, "domainName": "page.example"},
        "pathParameters": {"token": token},
        "headers": {"content-type": "application/x-www-form-urlencoded"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
        "body": urlencode(form or {}),
    }
    answer = handle(event, lambda: world.decisions)
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
    return answer["statusCode"], answer["body"]


def nonce_of(page: str) -> str:
    [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', page)
    return str(nonce)


def send(
    world: World, token: str, decision: str, comments: str = "", **more: str
) -> tuple[int, str]:
    _, page = call(world, token)
    form = {"nonce": nonce_of(page), "decision": decision, "comments": comments, **more}
    return call(world, token, "POST", form)


def snapshot(world: World) -> str:
    return repr(
        (world.store.approvals, world.store.audit, world.callbacks.completed, world.messages)
    )


def test_should_send_each_approver_a_link_of_their_own_and_nobody_another_s(world: World) -> None:
    asked(world)
    by_recipient = {message.recipient: message.body for message in world.notifier.sent}
    assert set(by_recipient) == {"ann", "bob", None}
    assert "/a/" not in by_recipient[None]
    assert token_of(world, "ann") != token_of(world, "bob")
    assert token_of(world, "ann") not in by_recipient["bob"]
    assert token_of(world, "ann") not in snapshot(world)


def test_should_show_what_is_asked_and_choose_nothing_beforehand(world: World) -> None:
    request = any_request(approvers=APPROVERS, context={"amount": 70, "to": {"name": "Cid"}})
    asked(world, request=request, policy=Policy(quorum=Quorum.everyone()))
    status, page = call(world, token_of(world, "ann"))
    assert status == 200
    for shown in ("Q4 Budget Proposal", "rita", "2 of 2: ann, bob", "1 hour", "amount", "Cid"):
        assert shown in page
    assert " checked" not in page.split("</style>")[1]
    assert "<script" not in page


def test_should_change_nothing_however_often_it_is_opened(world: World) -> None:
    asked(world)
    before = snapshot(world)
    for approver in APPROVERS:
        for method in ("GET", "HEAD") * 20:
            assert call(world, token_of(world, approver), method)[0] == 200
    assert snapshot(world) == before


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_take_a_decision_as_its_owners_and_show_a_receipt(
    world: World, decision: str
) -> None:
    approval_id = asked(world)
    status, page = send(world, token_of(world, "bob"), decision, "read it twice")
    approval = world.store.approvals[approval_id]
    assert status == 200
    assert f"You {decision} this" in page
    assert "read it twice" in page
    assert approval.audit_hash[:16] in page
    assert (approval.status, approval.decided_by) == (decision, "bob")
    assert approval.votes[0].identity == "link"
    assert world.callbacks.completed == ["callback-1"]


def test_should_show_the_receipt_again_to_a_second_click_a_reload_and_the_back_button(
    world: World,
) -> None:
    asked(world)
    token = token_of(world, "bob")
    _, page = call(world, token)
    form = {"nonce": nonce_of(page), "decision": "approved"}
    call(world, token, "POST", form)
    before = snapshot(world)
    for again in (form, form | {"decision": "rejected"}):
        status, page = call(world, token, "POST", again)
        assert status == 200
        assert "You approved this" in page
    assert "You approved this" in call(world, token)[1]
    assert snapshot(world) == before


def code_of(world: World) -> str:
    """From the message to everyone."""
    [body] = [m.body for m in world.notifier.sent if m.recipient is None]
    [code] = re.findall(r"own link: ([0-9A-Z]{4}-[0-9A-Z]{4})", body)
    return str(code)


class TestChallenge:
    def test_should_send_the_code_only_where_no_link_is(self, world: World) -> None:
        approval_id = asked(world, challenge=True)
        code = code_of(world)
        for message in world.notifier.sent:
            assert (code in message.body) is (message.recipient is None)
        assert view(world.store.approvals[approval_id])["challenge"] == code
        assert code not in repr(world.store.audit)
        assert code not in call(world, token_of(world, "ann"))[1]

    @pytest.mark.parametrize("given", ["", "0000-0000", "K7QD"])
    def test_should_take_nothing_without_the_code(self, world: World, given: str) -> None:
        asked(world, challenge=True)
        before = snapshot(world)
        status, page = send(world, token_of(world, "ann"), "approved", challenge=given)
        assert status == 400
        assert "That is not the code of this request" in page
        assert snapshot(world) == before

    def test_should_take_the_code_however_it_is_typed(self, world: World) -> None:
        approval_id = asked(world, challenge=True)
        typed = code_of(world).lower().replace("-", " ").replace("0", "o").replace("1", "l")
        status, page = send(world, token_of(world, "ann"), "approved", challenge=typed)
        assert status == 200
        assert "You approved this" in page
        assert world.store.approvals[approval_id].status == "approved"

    def test_should_ask_for_none_unless_told_to(self, world: World) -> None:
        asked(world)
        assert "Code" not in call(world, token_of(world, "ann"))[1]
        assert "challenge" not in repr([m.body for m in world.notifier.sent])


def expire(world: World, approval_id: str) -> None:
    world.clock.advance(world.store.approvals[approval_id].expires_at - world.clock.now())


ENDS: dict[str, tuple[Callable[[World, str], Any], str]] = {
    "expired": (expire, "Time is up"),
    "decided by another": (
        lambda world, approval_id: world.decisions.decide(
            approval_id, declared("ann"), "rejected", "no"
        ),
        "Rejected by ann",
    ),
    "withdrawn": (
        lambda world, approval_id: world.decisions.cancel(approval_id, declared("rita")),
        "Withdrawn by rita",
    ),
}


@pytest.mark.parametrize("end", list(ENDS))
def test_should_say_why_a_link_is_closed_and_take_nothing_more(world: World, end: str) -> None:
    approval_id = asked(world)
    token = token_of(world, "bob")
    _, page = call(world, token)
    form = {"nonce": nonce_of(page), "decision": "approved"}
    close, said = ENDS[end]
    close(world, approval_id)
    before = snapshot(world)
    for answer in (call(world, token), call(world, token, "POST", form)):
        assert answer[0] == 200
        assert said in answer[1]
        assert "<form" not in answer[1]
    assert snapshot(world) == before


def test_should_open_by_each_link_that_a_person_was_sent(world: World) -> None:
    approval_id = asked(world)
    first = token_of(world, "bob")
    world.decisions.remind(approval_id, declared("rita"), ["bob"])
    deliver(world, approval_id)
    assert token_of(world, "bob") != first
    for token in (first, token_of(world, "bob")):
        assert "Your approval is asked for" in call(world, token)[1]
    assert "You approved this" in send(world, first, "approved")[1]


def test_should_refuse_every_bad_token_in_the_same_words(world: World) -> None:
    approval_id = asked(world)
    good = token_of(world, "bob")
    other = asked(world)
    bad = [
        "",
        "x",
        good[:-1],
        good + "A",
        good[:-1] + ("B" if good[-1] == "A" else "A"),
        good.replace(approval_id, other),
        make_token("nobody", bytes(32)),
        make_token(approval_id, b"\xff" * 32),
        "../" + good,
        "x" * 10_000,
        f"{approval_id}.",
    ]
    before = snapshot(world)
    answers = {call(world, token) for token in bad}
    answers |= {call(world, token, "POST", {"decision": "approved"}) for token in bad}
    assert len(answers) == 1
    [(status, page)] = answers
    assert status == 404
    assert "This link does not open anything" in page
    assert snapshot(world) == before


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"nonce": "good"}, 400, "choose whether to approve or to reject"),
        ({"nonce": "good", "decision": "maybe"}, 400, "choose whether"),
        ({"nonce": "good", "decision": "rejected"}, 400, "a rejection needs a reason"),
        (
            {"nonce": "good", "decision": "approved", "comments": "x" * 2_001},
            400,
            "comments: must be at most 2000 characters, got 2001",
        ),
        ({"nonce": "good", "decision": "approved", "comments": "nul\x00"}, 400, "U+0000"),
        ({"decision": "approved"}, 403, "has grown old"),
        ({"nonce": "é", "decision": "approved"}, 403, "has grown old"),
        ({f"field-{n}": "" for n in range(21)}, 400, "Please use the form of this page"),
        ({"nonce": "0" * 64, "decision": "approved"}, 403, "has grown old"),
    ],
)
def test_should_take_nothing_but_its_own_form_filled_in(
    world: World, form: dict[str, str], status: int, said: str
) -> None:
    asked(world, policy=Policy(require_comment_on_rejection=True))
    token = token_of(world, "bob")
    if form.get("nonce") == "good":
        form = form | {"nonce": nonce_of(call(world, token)[1])}
    before = snapshot(world)
    found, page = call(world, token, "POST", form)
    assert (found, said in page) == (status, True), page
    assert snapshot(world) == before


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("PUT", {}, 405),
        ("DELETE", {}, 405),
        ("POST", {"content_type": "application/json"}, 415),
        ("POST", {"content_type": "text/plain"}, 415),
        ("POST", {"origin": "https://evil.example"}, 403),
        ("POST", {"sec_fetch_site": "cross-site"}, 403),
        ("POST", {"sec_fetch_site": "same-site", "origin": "https://page.example"}, 403),
    ],
)
def test_should_refuse_what_no_form_of_ours_sends(
    world: World, method: str, headers: dict[str, str], status: int
) -> None:
    asked(world)
    token = token_of(world, "bob")
    form = {"nonce": nonce_of(call(world, token)[1]), "decision": "approved"}
    before = snapshot(world)
    assert call(world, token, method, form, **headers)[0] == status
    assert snapshot(world) == before


PIECES = [
    *("nonce=", "decision=approved", "decision=", "comments=", "challenge=", "&", ";", "=", "+"),
    *("%", "%C3%A9", "%ED%A0%80", "%00", "\u00e9", "\ud800", "x" * 3_000, "a&" * 30),
]
FORM = "application/x-www-form-urlencoded"


@settings(max_examples=200, deadline=None)
@given(
    body=st.lists(st.sampled_from(PIECES), max_size=30).map("".join),
    opened=st.booleans(),
    encoded=st.booleans(),
    header=st.tuples(st.sampled_from(["sec-fetch-site", "origin", "content-type"]), st.text()),
)
def test_should_refuse_whatever_is_sent_instead_of_the_form(
    body: str, opened: bool, encoded: bool, header: tuple[str, str]
) -> None:
    world = in_memory()
    asked(world, challenge=True)  # whose code nobody guesses here
    token = token_of(world, "ann")
    before = snapshot(world)
    event = {
        "requestContext": {"http": {"method": "POST"}, "domainName": "page.example"},
        "pathParameters": {"token": token},
        "body": f"nonce={nonce_of(call(world, token)[1])}&{body}" if opened else body,
        "isBase64Encoded": encoded,
    }
    for headers in ({"content-type": FORM}, {"content-type": FORM, header[0]: header[1]}):
        answer = handle(event | {"headers": headers}, lambda: world.decisions)
        assert 400 <= answer["statusCode"] < 500
    assert snapshot(world) == before


HOSTILE = '<script>alert(1)</script>\u202e\' onload=x & "q"'


def test_should_show_hostile_content_inert(world: World) -> None:
    request = any_request(
        subject="<b>bold</b> & 🚀",
        requester="<i>rita</i>",
        approvers=APPROVERS,
        context={HOSTILE: HOSTILE, "deep": [{"x": [[[[[[[[HOSTILE]]]]]]]]}]},
    )
    asked(world, request=request)
    _, page = call(world, token_of(world, "ann"))
    assert "<script" not in page
    assert "<b>bold" not in page
    assert "<i>" not in page
    assert "\u202e" not in page
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; 🚀" in page


def test_should_cut_what_nobody_reads(world: World) -> None:
    context = {f"k{n}": n for n in range(10_000)}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "ann"))
    assert "9700 more fields are on record" in page
    assert len(page) < 100_000


def test_should_say_how_much_of_a_value_is_not_shown(world: World) -> None:
    context = {"long": "x" * 2_345, "whole": "y" * 2_000}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "ann"))
    assert "x... 345 more characters are on record" in page
    assert f"{'y' * 2_000}</span>" in page


def test_should_show_line_ends_of_any_system_as_line_ends(world: World) -> None:
    context = {"lines": "one\r\ntwo\nthree\rfour"}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "ann"))
    assert "one\ntwo\nthree\\u000dfour" in page


def test_should_show_the_lines_of_a_comment_as_lines(world: World) -> None:
    asked(world)
    send(world, token_of(world, "bob"), "rejected", "too dear\r\nask again")
    _, page = call(world, token_of(world, "ann"))
    assert '<div class="said" dir="auto">too dear\nask again</div>' in page


def test_should_compare_with_every_link_in_constant_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(world)
    compared: list[str] = []

    def compare(known: str, wanted: str) -> bool:
        compared.append(known)
        return hmac.compare_digest(known, wanted)

    tokens = [token_of(world, name) for name in APPROVERS]
    tokens.append(tokens[0][:-2] + "AA")
    monkeypatch.setattr(link, "hmac", SimpleNamespace(compare_digest=compare))
    for token in tokens:
        compared.clear()
        with suppress(UnknownLink):
            open_link(world.decisions, token)
        assert len(compared) == len(APPROVERS)


def test_should_record_that_a_link_vouched_for_the_voter(world: World) -> None:
    approval_id = asked(world, policy=Policy(require_verified_identity=True))
    send(world, token_of(world, "bob"), "approved")
    [vote] = world.store.approvals[approval_id].votes
    assert (vote.approver, vote.identity) == ("bob", "link")


def test_should_vote_as_the_link_s_owner_whoever_the_form_names(world: World) -> None:
    approval_id = asked(world)
    token = token_of(world, "bob")
    form = {"nonce": nonce_of(call(world, token)[1]), "decision": "approved"}
    call(world, token, "POST", form | {"approver": "ann", "actor": "ann", "owner": "ann"})
    [vote] = world.store.approvals[approval_id].votes
    assert vote.approver == "bob"


def test_should_send_the_requester_no_link(world: World) -> None:
    asked(world, request=any_request(requester="Ann", approvers=APPROVERS))
    assert {message.recipient for message in world.notifier.sent} == {"bob", None}


def test_should_refuse_a_form_that_showed_something_else(world: World) -> None:
    approval_id = asked(world)
    token = token_of(world, "bob")
    form = {"nonce": nonce_of(call(world, token)[1]), "decision": "approved"}
    shown = world.store.approvals[approval_id]
    world.store.approvals[approval_id] = replace(
        shown, subject="Q5 Budget Proposal", content_digest="0" * 64
    )
    status, page = call(world, token, "POST", form)
    assert (status, "has grown old" in page) == (403, True)
    assert world.store.approvals[approval_id].pending


def test_should_log_no_token_and_show_no_trace(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(world)
    token = token_of(world, "ann")

    def fail(_: Any, approval_id: str) -> Any:
        raise RuntimeError(f"cannot read {token}")

    with caplog.at_level(logging.DEBUG):
        call(world, token)
        call(world, token[:-1])
        monkeypatch.setattr(type(world.store), "get", fail)
        status, page = call(world, token)
    assert status == 500
    assert "Something went wrong here" in page
    assert "Traceback" not in page
    written = caplog.text + json.dumps([str(record.__dict__) for record in caplog.records])
    assert token not in written
    assert "unexpected RuntimeError" in written


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=2, minutes=5), "2 hours 5 minutes"),
        (timedelta(days=3, minutes=5), "3 days 5 minutes"),
    ],
)
def test_should_say_how_much_time_is_left_in_words(left: timedelta, said: str) -> None:
    from hitl_approval.http.html import in_words

    assert in_words(left) == said
