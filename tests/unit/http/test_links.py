"""Personal links: one each, found in constant time, a bad one opens nothing."""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from hitl_approval.domain import link
from hitl_approval.domain.link import make_challenge, make_token
from hitl_approval.http.errors import UnknownLink
from hitl_approval.http.link_page import handle
from hitl_approval.http.links import open_link
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.memory import CountingSecrets
from tests.anything import any_opening, any_request

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


def test_should_send_the_requester_no_link(world: World) -> None:
    asked(world, request=any_request(requester="Ann", approvers=APPROVERS))
    assert {message.recipient for message in world.notifier.sent} == {"bob", None}
