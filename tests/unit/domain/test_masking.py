"""The threat: what is sensitive leaves the page, in a mail that stays in a mailbox for years."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.approval import digest_content
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.bus_event import bus_event
from hitl_approval.domain.call import Call
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.masking import MASK, leads_nowhere, masked, sent, shown_to
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_values import MAX_SENSITIVE
from hitl_approval.domain.view import entry, summary, view
from hitl_approval.testing import World
from tests.anything import any_approval, any_request, declared
from tests.unit.http import by_link, by_sign_in

CARD, IBAN = "4111 1111 1111 1111", "DE02 1203 0000 0000 2020 51"
CONTEXT: dict[str, Any] = {
    "amount": 7,
    "card": CARD,
    "customer": {"name": "Cid", "iban": IBAN},
    "lines": [{"what": "Freight", "card": CARD}, {"what": "Fuel"}],
    "a.b": {"c": IBAN},
}
PATHS = ["card", "customer.iban", "lines.card", "a.b.c"]
ANN = by_sign_in.ANN


def sensitive(**fields: Any) -> ApprovalRequest:
    return any_request(**{"context": CONTEXT, "sensitive": PATHS, "approvers": (ANN,)} | fields)


def test_should_mask_what_the_paths_lead_to_and_nothing_else() -> None:
    assert masked(CONTEXT, PATHS) == {
        "amount": 7,
        "card": MASK,
        "customer": {"name": "Cid", "iban": MASK},
        "lines": [{"what": "Freight", "card": MASK}, {"what": "Fuel"}],
        "a.b": {"c": MASK},
    }
    assert masked(CONTEXT, ["customer", "lines"]) == CONTEXT | {"customer": MASK, "lines": MASK}
    assert masked(CONTEXT, []) == CONTEXT
    assert CONTEXT["card"] == CARD


@pytest.mark.parametrize("path", ["crad", "customer.card", "card.number", "lines.0", "customer."])
def test_should_refuse_a_path_that_would_mask_nothing(path: str) -> None:
    assert leads_nowhere(CONTEXT, path)
    with pytest.raises(InvalidRequest, match=r"^sensitive: names '.*', which is no field"):
        sensitive(sensitive=[path])


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ("card", "must be a list of fields, got a string"),
        ({"card": 1}, "must be a list of fields, got an object"),
        ([7], "must be a string, got a number"),
        ([""], "must not be empty"),
        ([f"f{n}" for n in range(MAX_SENSITIVE + 1)], "must be at most 50, got 51"),
    ],
)
def test_should_refuse_what_are_no_paths(paths: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^sensitive: {message}"):
        sensitive(sensitive=paths)


def test_should_be_in_the_digest_all_the_same() -> None:
    approval = any_approval(request=sensitive())
    other = any_approval(request=sensitive(context=CONTEXT | {"card": "4111"}))
    unmasked = any_approval(request=sensitive(sensitive=[]))
    digests = {digest_content(one) for one in (approval, other, unmasked)}
    assert len(digests) == 3


def leaks(text: str) -> bool:
    return CARD in text or IBAN in text


def test_should_stay_out_of_everything_that_is_sent_and_listed(world: World) -> None:
    approval_id = by_link.asked(world, request=sensitive())
    approval = world.store.approvals[approval_id]
    events = world.store.history(approval_id)
    recipients = {message.recipient for message in world.notifier.sent}
    assert recipients == {None, ANN}
    out = [message.body + message.subject for message in world.notifier.sent]
    assert all(MASK in text for text in out)
    out += [bus_event(event, approval, deployment="t").detail for event in events]
    out += [json.dumps(events), json.dumps(summary(approval)), json.dumps(entry(approval))]
    listed = world.decisions.list_by_status("pending", limit=9, cursor=None)
    out.append(json.dumps([dict(item) for item in listed.items]))
    assert not any(leaks(text) for text in out)
    world.decisions.decide(approval_id, declared(ANN), "rejected", "no")
    by_link.deliver(world, approval_id)
    assert not any(leaks(message.body) for message in world.notifier.sent)


def test_should_stand_on_the_page_and_in_the_view_of_who_was_asked(world: World) -> None:
    approval_id = by_link.asked(world, request=sensitive())
    _, page = by_link.call(world, by_link.token_of(world, ANN))
    for shown in (CARD, IBAN):
        assert shown in page
    approval = world.store.approvals[approval_id]
    assert (view(approval)["context"], view(approval)["sensitive"]) == (CONTEXT, PATHS)


@pytest.mark.parametrize(
    ("actor", "whole"),
    [
        (None, True),
        (declared("mallory"), True),
        (Actor(ANN, "jwt"), True),
        (Actor(ANN.upper(), "link"), True),
        (Actor("rita", "jwt"), True),
        (Actor("olga@example.com", "jwt"), False),
        (Actor("arn:aws:iam::1:user/olga", "iam"), False),
    ],
)
def test_should_mask_from_who_has_signed_in_and_was_not_asked(
    actor: Actor | None, whole: bool
) -> None:
    approval = any_approval(request=sensitive())
    assert shown_to(approval, actor) == (CONTEXT if whole else sent(approval))
    assert leaks(json.dumps(view(approval, actor))) is whole


def test_should_mask_from_onlookers_on_the_page_and_in_the_api(world: World) -> None:
    request = sensitive(requester=by_sign_in.RITA)
    approval_id = by_link.asked(world, request=request)
    for who, whole in ((ANN, True), (by_sign_in.RITA, True), (by_sign_in.BOB, False)):
        for route in ("GET /approvals/{approval_id}", "GET /v1/approvals/{approval_id}"):
            answer = by_sign_in.call(world, route, who=who, approval_id=approval_id)
            assert answer["statusCode"] == 200
            assert leaks(answer["body"]) is whole, (who, route)


def charge(card: str, amount: int) -> None:
    """What an agent would have run."""


def test_should_stay_out_of_the_subject_of_a_call() -> None:
    call = Call.of(charge, (CARD, 7), {}, sensitive=["card"])
    assert call.subject == f'Run charge(card="{MASK}", amount=7)'
    assert call.context["arguments"]["card"] == CARD
