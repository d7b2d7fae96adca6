"""`hitl delegate`: given, shown, ended; what the delegate finds and decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.audit import parse_time
from hitl_approval.testing import World
from hitl_approval_cli import clock
from tests.anything import any_opening, any_request

from .conftest import Hitl
from .fake_cloud import FakeCloud

GIVE = ("delegate", "--to", "bob", "--until", "2026-01-12T00:00:00Z", "--as", "ann")


def requested(world: World, *approvers: str) -> str:
    request = any_request(approvers=approvers, requester="rita")
    opening = any_opening(now=world.clock.now(), request=request, timeout=timedelta(days=20))
    approval = world.store.create(opening)
    world.inbox.add(approval, approval.deciders)
    return approval.approval_id


def test_should_let_the_delegate_find_and_decide_what_is_asked(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, "ann")
    refused = hitl("approve", approval_id, "--as", "bob", "--yes")
    assert refused.status == 1
    assert "bob answers for you from " in hitl(*GIVE).out
    assert "(for ann)" in hitl("inbox", "--mine", "--as", "bob").out
    [item] = hitl("inbox", "--mine", "--as", "bob", "--json").json["approvals"]
    assert item["on_behalf_of"] == "ann"
    assert f"{approval_id} approved by bob for ann; " in (
        hitl("approve", approval_id, "--as", "bob", "--yes").out
    )
    assert " bob for ann " in hitl("history", approval_id).out
    shown = hitl("show", approval_id).out
    assert "bob for ann (declared)" in shown
    assert world.store.history(approval_id)[-1]["details"]["on_behalf_of"] == "ann"


def test_should_show_what_stands_and_end_it(hitl: Hitl) -> None:
    assert hitl("delegate", "--as", "ann").out == "Nobody answers for you.\n"
    hitl(*GIVE)
    assert hitl("delegate", "--as", "ann", "--json").json["given"]["until"] == (
        "2026-01-12T00:00:00.000Z"
    )
    assert "You answer for ann from " in hitl("delegate", "--as", "bob").out
    assert hitl("delegate", "--none", "--as", "ann").out == "Nobody answers for you.\n"
    assert hitl("delegate", "--as", "bob").out == "Nobody answers for you.\n"


def test_should_begin_when_it_says(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, "ann")
    hitl(*GIVE, "--from", "2026-01-10T00:00:00+00:00")
    assert hitl("approve", approval_id, "--as", "bob", "--yes").status == 1
    assert hitl("inbox", "--mine", "--as", "bob", "--json").json["approvals"] == []
    world.clock.advance(timedelta(days=8))
    assert hitl("approve", approval_id, "--as", "bob", "--yes").status == 0


def test_should_take_a_time_from_now(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", world.clock.now)
    words = ("delegate", "--to", "bob", "--from", "1h", "--until", "14d", "--as", "ann", "--json")
    given = hitl(*words).json["given"]
    assert parse_time(given["from"]) == world.clock.now() + timedelta(hours=1)
    assert parse_time(given["until"]) == world.clock.now() + timedelta(days=14)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "bob"), "--until: must be there"),
        (("--until", "2026-01-12"), "--to: must be there"),
        (("--to", "bob", "--until", "soon"), "--until: must look like 14d, 2026-01-31"),
        (("--to", "bob", "--until", "2026-01-12", "--from", "x"), "--from: must look like"),
        (("--none", "--to", "bob"), "--none: ends what stands"),
        (("--to", "ann", "--until", "2026-01-12"), "must be another person"),
        (("--to", "bob", "--until", "2025-01-12"), "until: must be later"),
        (("--to", "bob", "--until", "2029-01-12"), "until: must be at most 366 days"),
        (("--to", "bob", "--until", "2026-01-12", "--for", "eve"), "cannot say who answers"),
        (("--for", "eve"), "cannot say who answers"),
    ],
)
def test_should_refuse_and_change_nothing(
    hitl: Hitl, world: World, words: tuple[str, ...], said: str
) -> None:
    result = hitl("delegate", *words, "--as", "ann")
    assert result.status != 0
    assert said in result.err
    assert world.store.delegations.given == {}


def test_should_let_an_operator_say_it_for_others(
    hitl: Hitl, world: World, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    operators: Any = ("ops",)
    monkeypatch.setattr(type(world.decisions), "operators", operators, raising=False)
    words = ("--until", "2026-01-12", "--for", "ann", "--as", "ops")
    said = hitl("delegate", "--to", "bob", *words).out
    assert "bob answers for ann from" in said
    assert "said ops (declared)" in said
    assert "by their own word" in hitl("delegate", "--to", "ops", *words).err
    assert cloud.asked[0]["for"] == "ann"
