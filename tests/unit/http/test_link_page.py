"""The page of a personal link: what it shows, what it takes, and what it never does."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.domain.organization import MAX_LOGO, Organization
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.view import view
from hitl_approval.http.link_page import handle
from hitl_approval.testing import World, in_memory
from tests.anything import any_request, declared
from tests.unit.http.by_link import (
    APPROVERS,
    asked,
    call,
    nonce_of,
    send,
    shown_in,
    snapshot,
    token_of,
)

NORDWIND = Organization("Nordwind", "#a8201a")


def test_should_show_what_is_asked_and_choose_nothing_beforehand(world: World) -> None:
    request = any_request(approvers=APPROVERS, context={"amount": 70, "to": {"name": "Cid"}})
    asked(world, request=request, policy=Policy(quorum=Quorum.everyone()))
    status, page = call(world, token_of(world, "ann"))
    assert status == 200
    said = "0 of 2 approvals; ann and bob must still answer"
    for shown in ("Q4 Budget Proposal", "rita", said, "1 hour", "amount", "Cid"):
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


def test_should_say_that_nobody_acts_on_the_decision_any_more(world: World) -> None:
    approval = world.store.approvals[asked(world)]
    world.callbacks.answer = "already_running"
    world.executions.ended.add(approval.execution_arn)
    token = token_of(world, "bob")
    status, page = send(world, token, "approved", "")
    assert status == 200
    assert "You approved this" in page
    assert "the workflow that asked has ended and will not act on it" in page
    assert "has ended and" not in call(world, token)[1]  # Lambda is asked when somebody decides


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

    def test_should_ask_for_none_by_default(self, world: World) -> None:
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
        ({f"field-{n}": "" for n in range(41)}, 400, "Please use the form of this page"),
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
    world: World, method: str, headers: dict[str, Any], status: int
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


@pytest.mark.parametrize("behind", [".", ">", ")", "/", ",", ").", "/>", '"', "'"])
def test_should_open_with_what_mail_programs_take_for_a_part_of_it(
    world: World, behind: str
) -> None:
    approval_id = asked(world)
    token = token_of(world, "bob") + behind
    status, page = call(world, token)
    assert (status, "Your approval is asked for" in page) == (200, True)
    form = {"nonce": nonce_of(page), "decision": "approved"}
    assert call(world, token, "POST", form)[0] == 200
    assert world.store.approvals[approval_id].decided_by == "bob"


@pytest.mark.parametrize("altered", ["x", "a.", ".a", "./a", "-"])
def test_should_open_nothing_that_was_altered(world: World, altered: str) -> None:
    asked(world)
    assert call(world, token_of(world, "bob") + altered)[0] == 404


TITLES: dict[str, tuple[Callable[[World, str], Any], str, str]] = {
    "open": (lambda *_: None, "Approve", "Your approval is asked for"),
    "expired": (expire, "Time is up", "Time is up: no answer is needed from you any more"),
    "approved": (
        lambda world, approval_id: world.decisions.decide(approval_id, declared("ann"), "approved"),
        "Approved",
        "Approved by ann: no answer needed from you",
    ),
    "withdrawn": (
        lambda world, approval_id: world.decisions.cancel(approval_id, declared("rita")),
        "Withdrawn",
        "Withdrawn by rita: no answer needed from you",
    ),
    "answered": (
        lambda world, approval_id: world.decisions.decide(approval_id, declared("bob"), "rejected"),
        "You rejected",
        "You rejected this",
    ),
}


@pytest.mark.parametrize("end", list(TITLES))
def test_should_say_in_title_and_headline_what_it_is_and_whose(world: World, end: str) -> None:
    act, title, headline = TITLES[end]
    approval_id = asked(world)
    token = token_of(world, "bob")
    act(world, approval_id)
    for organization, name in ((None, "hitl-approval"), (NORDWIND, "Nordwind")):
        _, page = call(world, token, organization=organization)
        assert f"<title>{title}: Q4 Budget Proposal - {name}</title>" in page
        assert f">{headline}</p>" in page


def test_should_make_no_row_for_a_document_that_has_no_id(world: World) -> None:
    asked(world)
    assert "Document" not in call(world, token_of(world, "bob"))[1]


def test_should_keep_the_requester_s_order(world: World) -> None:
    context = {"zebra": 1, "amounts": {"z": 1, "a": 2}, "ape": 2}
    approval_id = asked(world, request=any_request(approvers=APPROVERS, context=context))
    text = shown_in(call(world, token_of(world, "bob"))[1])
    found = re.findall(r"^(zebra|amounts|z|a|ape)(?=1|2)", text, re.MULTILINE)
    assert found == ["zebra", "amounts", "z", "a", "ape"]
    assert json.loads(world.store.approvals[approval_id].context) == context


def test_should_put_first_what_matters_and_say_whose_words_they_are(world: World) -> None:
    context = {
        "zone": "eu",
        "amount": 70_000,
        "currency": "EUR",
        "risk": "critical",
        "summary": "Pay <b>Cid</b>",
        "next": "the transfer is made",
    }
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "bob"))
    text = shown_in(page)
    for said in ("70,000 EUR", "Risk: critical", "Pay <b>Cid</b>", "In the words of rita"):
        assert said in text
        assert text.index(said) < text.index("zone")
    assert "<b>Cid" not in page
    assert text.count("the transfer is made") == 2
    assert text.index("Then, says rita: the transfer is made") > text.index("Your decision")
    _, receipt = send(world, token_of(world, "bob"), "approved")
    assert "Next, in the words of rita: the transfer is made" in shown_in(receipt)


def test_should_weigh_little_even_with_the_largest_logo(world: World) -> None:
    context = {f"field {number}": "some words of a value" for number in range(15)}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    logo = b"\x89PNG\r\n\x1a\n" + b"\0" * (MAX_LOGO - 8)
    _, page = call(
        world, token_of(world, "bob"), organization=Organization("Nordwind", "#a8201a", logo)
    )
    assert 20_000 < len(page.encode()) <= 30_000
