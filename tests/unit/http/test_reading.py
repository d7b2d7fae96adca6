"""The threat: something is approved that nobody was shown.

A requester who wants that puts it behind 2,000 characters, 300 fields, empty lines, deep groups or
characters that nobody sees. Whatever it is, a page shows all of it, part by part, and takes an
approval only after the last one; a rejection always.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from hitl_approval.domain.call import Call
from hitl_approval.domain.rows import PART
from hitl_approval.http.reading import Reading
from hitl_approval.testing import World
from tests.anything import any_request, declared
from tests.unit.http import by_sign_in
from tests.unit.http.by_link import (
    APPROVERS,
    asked,
    call,
    next_part,
    nonce_of,
    read,
    shown_in,
    snapshot,
    token_of,
)

SECRET = "; DROP TABLE customers"


def run_sql(sql: str) -> None:
    """What an agent would have run."""


def nested(value: Any) -> dict[str, Any]:
    context: dict[str, Any] = {"end": value}
    for _ in range(15):
        context = {"in": [context]}
    return context


HIDDEN: dict[str, dict[str, Any]] = {
    "behind 2,000 characters": Call.of(run_sql, ("x" * 2_000 + SECRET,), {}).context,
    "behind 100,000 characters": Call.of(run_sql, ("x " * 50_000 + SECRET,), {}).context,
    "behind 300 fields": {f"field {n:03}": n for n in range(300)} | {"sql": SECRET},
    "behind 9,000 fields": {f"f{n}": n for n in range(9_000)} | {"sql": SECRET},
    "behind empty lines": {"sql": "SELECT 1" + "\n" * 9_000 + SECRET},
    "behind empty lines with blanks": {"sql": "SELECT 1" + "\n \t\u3000" * 9_000 + SECRET},
    "behind spaces": {"sql": "SELECT 1" + "\u00a0 " * 9_000 + SECRET},
    "in a folded group": {"order": {"note": "fine", "sql": SECRET}},
    "below 30 levels": nested(SECRET),
    "below 30 levels, long": nested("x" * 60_000 + SECRET),
    "in a name": {SECRET: 1},
    "behind a very long name": {"n" * 60_000 + SECRET: 1},
    "in a list of 3,000": {"all": [*range(3_000), SECRET]},
    "as a summary": {"summary": "x" * 470 + SECRET},
    "as a summary that is too long": {"summary": "x" * 30_000 + SECRET},
    "as an amount": {"amount": SECRET, "currency": "EUR"},
    "as what happens next": {"next": SECRET},
    "as a risk": {"risk": SECRET},
    "reversed": {"sql": f"\u202e{SECRET}\u202c"},
    "behind what nobody sees": {"sql": "\u200b\u2060\u00ad" * 9_000 + SECRET},
}
LONG = HIDDEN["behind 100,000 characters"]

TURN_FORM = r'<details class="turn">.*?</details>'
"""The one thing on the page that is folded: no part of the request is in it."""


@pytest.mark.parametrize("where", list(HIDDEN))
def test_should_show_everything_before_it_can_be_approved(world: World, where: str) -> None:
    asked(world, request=any_request(approvers=APPROVERS, context=HIDDEN[where]))
    *before, last = read(world, token_of(world, "ann"))
    unfolded = [re.sub(TURN_FORM, "", page, flags=re.DOTALL) for page in (*before, last)]
    assert SECRET in shown_in(*unfolded)
    for page in before:
        assert 'value="approved"' not in page
        assert 'value="rejected"' in page
    assert 'value="approved"' in last
    assert "<details" not in "".join(unfolded)
    assert "\u202e" not in last
    assert "\u200b" not in last


@pytest.mark.parametrize("where", list(HIDDEN))
def test_should_show_everything_on_the_receipt_too(world: World, where: str) -> None:
    approval_id = asked(world, request=any_request(approvers=APPROVERS, context=HIDDEN[where]))
    world.decisions.decide(approval_id, declared("bob"), "approved", "")
    pages = read(world, token_of(world, "ann"))
    assert SECRET in shown_in(*pages)
    assert "<form" not in "".join(pages)


@pytest.mark.parametrize("where", list(HIDDEN))
def test_should_show_it_in_the_message_or_say_how_much_is_missing(world: World, where: str) -> None:
    asked(world, request=any_request(approvers=APPROVERS, context=HIDDEN[where]))
    for message in world.notifier.sent:
        assert SECRET in message.body or "more characters on record" in message.body


def test_should_tell_of_what_is_missing_and_lead_to_it(world: World) -> None:
    asked(world, request=any_request(approvers=APPROVERS, context=LONG))
    page = shown_in(call(world, token_of(world, "ann"))[1])
    for said in ("part 1 of 6", "goes on in part 2", "Read on: part 2 of 6", "read on to the end"):
        assert said in page


def test_should_refuse_an_approval_before_the_last_part_whatever_is_sent(world: World) -> None:
    approval_id = asked(world, request=any_request(approvers=APPROVERS, context=LONG))
    token = token_of(world, "ann")
    *before, last = read(world, token)
    other = Reading(token_of(world, "bob"), world.store.approvals[approval_id].content_digest)
    unchanged = snapshot(world)
    for page in before:
        form = {"nonce": nonce_of(page), "decision": "approved"}
        status, answer = call(world, token, "POST", form)
        assert status == 409
        assert "You were shown a part of this only" in answer
        assert 'value="approved"' not in answer
    for forged in (other.nonce(whole=True), "", world.store.approvals[approval_id].content_digest):
        assert call(world, token, "POST", {"nonce": forged, "decision": "approved"})[0] == 403
    assert snapshot(world) == unchanged
    status, answer = call(world, token, "POST", {"nonce": nonce_of(last), "decision": "approved"})
    assert (status, "You approved this" in answer) == (200, True)


def test_should_take_a_rejection_on_every_part(world: World) -> None:
    for part in range(6):
        approval_id = asked(world, request=any_request(approvers=APPROVERS, context=LONG))
        token = token_of(world, "ann")
        form = {"nonce": nonce_of(read(world, token)[part]), "decision": "rejected"}
        assert call(world, token, "POST", form)[0] == 200
        assert world.store.approvals[approval_id].status == "rejected"


@pytest.mark.parametrize(
    "skip",
    [
        lambda query: query | {"part": "6"},
        lambda query: query | {"part": "3"},
        lambda query: query | {"key": "0" * 64},
        lambda query: query | {"key": "é"},
        lambda query: {"part": query["part"]},
        lambda query: {"part": "99", "key": query["key"]},
        lambda query: {"part": "-1", "key": query["key"]},
        lambda query: {"part": "02", "key": query["key"]},
        lambda _: {"part": "last"},
    ],
)
def test_should_begin_anew_for_who_skips_a_part(
    world: World, skip: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    asked(world, request=any_request(approvers=APPROVERS, context=LONG))
    token = token_of(world, "ann")
    query = next_part(call(world, token)[1])
    assert query is not None
    status, page = call(world, token, query=skip(query))
    assert (status, "part 1 of 6" in shown_in(page)) == (200, True)
    assert 'value="approved"' not in page


def test_should_give_no_key_for_another_request_or_another_person(world: World) -> None:
    request = any_request(approvers=APPROVERS, context=LONG)
    asked(world, request=request)
    ann = next_part(call(world, token_of(world, "ann"))[1])
    assert "part 1 of 6" in shown_in(call(world, token_of(world, "bob"), query=ann)[1])
    asked(world, request=request)
    assert "part 1 of 6" in shown_in(call(world, token_of(world, "ann"), query=ann)[1])


def test_should_give_no_key_and_no_form_for_another_content(world: World) -> None:
    approval_id = asked(world, request=any_request(approvers=APPROVERS, context=LONG))
    token = token_of(world, "ann")
    _, page = call(world, token)
    query = next_part(page)
    shown = world.store.approvals[approval_id]
    world.store.approvals[approval_id] = replace(shown, content_digest="0" * 64)
    assert "part 1 of 6" in shown_in(call(world, token, query=query)[1])
    form = {"nonce": nonce_of(page), "decision": "rejected"}
    assert call(world, token, "POST", form)[0] == 403


def test_should_show_the_part_again_whose_form_was_refused(world: World) -> None:
    asked(world, request=any_request(approvers=APPROVERS, context=LONG))
    token = token_of(world, "ann")
    query = next_part(call(world, token)[1])
    _, second = call(world, token, query=query)
    status, page = call(world, token, "POST", {"nonce": nonce_of(second)}, query=query)
    assert (status, "part 2 of 6" in shown_in(page)) == (400, True)


class TestSignedIn:
    """The same for people who have signed in."""

    ROUTE = "/approvals/{approval_id}"

    def page(self, world: World, approval_id: str, query: dict[str, str] | None = None) -> str:
        answer = by_sign_in.call(world, f"GET {self.ROUTE}", approval_id=approval_id, query=query)
        return str(answer["body"])

    def post(self, world: World, approval_id: str, nonce: str) -> dict[str, Any]:
        return by_sign_in.call(
            world,
            f"POST {self.ROUTE}",
            approval_id=approval_id,
            body=urlencode({"nonce": nonce, "decision": "approved"}),
            origin="https://page.example",
            content_type="application/x-www-form-urlencoded",
        )

    def test_should_refuse_an_approval_before_the_last_part(self, world: World) -> None:
        request = any_request(approvers=(by_sign_in.ANN,), context=LONG)
        approval_id = asked(world, request=request)
        pages = [self.page(world, approval_id)]
        while (query := next_part(pages[-1])) is not None:
            pages.append(self.page(world, approval_id, query))
        *before, last = pages
        assert SECRET in shown_in(*pages)
        assert len(pages) == 6
        for page in before:
            refused = self.post(world, approval_id, nonce_of(page))
            assert (refused["statusCode"], 'value="approved"' in page) == (409, False)
        digest = world.store.approvals[approval_id].content_digest
        assert self.post(world, approval_id, digest)["statusCode"] == 403
        assert world.store.approvals[approval_id].pending
        assert self.post(world, approval_id, nonce_of(last))["statusCode"] == 200
        assert world.store.approvals[approval_id].status == "approved"


def test_should_have_examples_that_take_several_parts() -> None:
    assert sum(len(json.dumps(context)) > PART for context in HIDDEN.values()) > 5
