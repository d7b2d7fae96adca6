"""Personal links: one each, found in constant time, a bad one opens nothing."""

from __future__ import annotations

import hmac
from contextlib import suppress
from types import SimpleNamespace

import pytest

from hitl_approval.domain import link
from hitl_approval.domain.link import make_token
from hitl_approval.http.errors import UnknownLink
from hitl_approval.http.links import open_link
from hitl_approval.testing import World
from tests.anything import any_request
from tests.unit.http.by_link import APPROVERS, asked, call, snapshot, token_of


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
