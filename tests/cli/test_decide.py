"""`hitl approve`, `reject`, `cancel`: what is decided, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.testing import World
from tests.anything import any_opening, any_request

from .conftest import Hitl
from .pending import requested


@pytest.mark.parametrize(
    ("verb", "status"), [("approve", "approved"), ("reject", "rejected"), ("cancel", "cancelled")]
)
def test_should_decide(hitl: Hitl, world: World, verb: str, status: str) -> None:
    approval_id = requested(world, requester="bob" if verb == "cancel" else "rita")

    result = hitl(verb, approval_id, "-m", "because", "--yes")

    assert result.status == 0
    assert f"{approval_id} {status} by bob; the workflow resumes" in result.out
    assert world.store.approvals[approval_id].comments == "because"
    assert "already" in hitl(verb, approval_id, "-m", "because", "--yes").out


def test_should_show_the_request_and_ask_in_a_terminal(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, context={"amount": 5})

    no = hitl("approve", approval_id, stdin="n\n", terminal=True)
    assert '"amount": 5' in no.out
    assert "Nothing was changed." in no.err
    assert world.store.approvals[approval_id].pending

    yes = hitl("approve", approval_id, stdin="y\n", terminal=True)
    assert "approved" in yes.out
    assert world.store.approvals[approval_id].status == "approved"


def test_should_decide_nothing_when_the_question_is_not_answered(hitl: Hitl, world: World) -> None:
    approval_id = requested(world)
    result = hitl("approve", approval_id, terminal=True)
    assert (result.status, result.err) == (1, "hitl: nobody answered (NOT_ANSWERED)\n")
    assert world.store.approvals[approval_id].pending


@pytest.mark.parametrize(
    ("policy", "way_out"),
    [
        (
            Policy(),
            (
                "rita asked for this and cannot decide it: another person must, or cancel the "
                "request: --as NAME says who decides; a deployment with allow_self_approval takes "
                "the requester's own decision"
            ),
        ),
        (
            Policy(require_verified_identity=True),
            (
                "this request takes verified identities only: sign in, a name is not enough: "
                "decide by a personal link, signed in on the page, or after hitl login"
            ),
        ),
    ],
    ids=["own request", "only verified"],
)
def test_should_name_the_way_out_of_a_refused_decision(
    hitl: Hitl, world: World, policy: Policy, way_out: str
) -> None:
    request = any_request(requester="rita")
    opening = any_opening(request=request, policy=policy, now=world.clock.now())
    approval_id = world.store.create(opening).approval_id
    refused = hitl("approve", approval_id, "--yes", "--as", "rita")
    assert (refused.status, refused.out, refused.err) == (1, "", f"hitl: {way_out} (FORBIDDEN)\n")


def test_should_ask_who_decides_when_the_user_has_no_name(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setenv("HITL_USER", "")
    result = hitl("approve", requested(world), "--yes")
    assert (result.status, result.err) == (2, "hitl: this user has no name: set HITL_USER\n")


def test_should_decide_many_and_let_one_bad_id_stop_nothing(hitl: Hitl, world: World) -> None:
    ids = [requested(world) for _ in range(49)]
    lines = [*ids[:20], "no-such-id", *ids[20:]]

    result = hitl("approve", "-", "--yes", "--json", stdin="\n".join(lines))

    assert result.status == 1
    assert len(result.out.splitlines()) == 49
    (error,) = result.err.splitlines()
    assert json.loads(error)["approval_id"] == "no-such-id"
    assert all(world.store.approvals[approval_id].status == "approved" for approval_id in ids)


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
def test_should_end_quietly_when_interrupted_at_a_question(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    def ctrl_c(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("typer._click.termui.visible_prompt_func", ctrl_c)
    approval_id = requested(world)
    result = hitl(verb, approval_id, terminal=True)
    assert result.status == 130
    assert result.err.endswith("hitl: interrupted (INTERRUPTED)\n")
    assert world.store.approvals[approval_id].pending


HIDDEN = "; DROP TABLE customers"


@pytest.mark.parametrize(
    "context",
    [
        {"sql": "x" * 2_000 + HIDDEN},
        {f"field {number}": number for number in range(300)} | {"sql": HIDDEN},
        {"sql": "SELECT 1" + "\n" * 9_000 + HIDDEN},
        {"order": {"lines": [{"deep": {"deeper": [HIDDEN]}}]}},
        {"n" * 5_000 + HIDDEN: 1},
        {"sql": "\u200b\u2060" * 2_000 + HIDDEN},
    ],
    ids=["behind characters", "behind fields", "behind lines", "deep", "in a name", "unseen"],
)
def test_should_show_all_of_it_before_it_asks(
    hitl: Hitl, world: World, context: dict[str, Any]
) -> None:
    approval_id = requested(world, context=context)
    asked = hitl("approve", approval_id, stdin="y\n", terminal=True)
    flat = "".join(re.sub(r"\x1b\[[0-9;]*m", "", asked.out).split())
    assert "".join(HIDDEN.split()) in flat
    assert "\u200b" not in asked.out
    taller = len(asked.out.splitlines()) > 25
    assert ("more than this screen has: scroll up" in asked.err) is taller
    assert world.store.approvals[approval_id].status == "approved"


def test_should_say_who_can_still_answer_until_the_expiry(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = requested(world, approvers=["ann", "cid"])
    said = "0 of 1 approvals; ann or cid can still answer"
    for command in ("show", "status"):
        assert "0 of 1 approvals" in hitl(command, approval_id).out
        assert "can still answer" not in hitl(command, approval_id).out
    monkeypatch.setattr("hitl_approval_cli.clock.now", world.clock.now)
    for command in ("show", "status"):
        assert said in hitl(command, approval_id).out
