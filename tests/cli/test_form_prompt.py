"""`hitl approve` in a terminal asks for the fields of a form that nobody has set."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "title": "Why", "minLength": 3},
        "hours": {
            "type": "integer",
            "minimum": 1,
            "maximum": 8,
            "description": "What the [team] bills",
        },
        "urgent": {"type": "boolean", "default": False},
        "team": {"type": "string", "enum": ["red", "blue"]},
    },
    "required": ["reason", "hours"],
}


def asking(world: World) -> str:
    return requested(world, context={"amount": 100}, form=FORM, editable=["amount"])


@pytest.mark.parametrize("yes", ["yes", "Y", "true"])
def test_should_ask_for_each_field_and_show_what_was_typed(
    hitl: Hitl, world: World, yes: str
) -> None:
    approval_id = asking(world)
    answers = f"As ordered\n2\n{yes}\nblue\ny\n"
    result = hitl("approve", approval_id, stdin=answers, terminal=True)
    assert result.status == 0
    assert result.err.splitlines() == ["What the [team] bills"]
    for asked in ("reason (Why: text, required):", "hours (a whole number, required):"):
        assert asked in result.out
    for said in ("reason: As ordered", "hours: 2", "urgent: true", "team: blue"):
        assert f"You fill in {said}" in result.out
    [vote] = world.store.approvals[approval_id].votes
    assert vote.input == {"reason": "As ordered", "hours": 2, "urgent": True, "team": "blue"}


def test_should_ask_again_for_what_does_not_fit(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    answers = "\nno\nAs ordered\ntwo\n9\n2\nperhaps\n\ngreen\n\ny\n"
    result = hitl("approve", approval_id, stdin=answers, terminal=True)
    assert result.status == 0
    assert result.err.splitlines() == [
        "reason: is required",
        "reason: must be at least 3 characters, got 2",
        "What the [team] bills",
        "hours: must be a whole number, got 'two'",
        "hours: must be at most 8, got 9",
        "urgent: must be yes or no, got 'perhaps'",
        "team: must be one of 'red', 'blue', got 'green'",
    ]
    [vote] = world.store.approvals[approval_id].votes
    assert vote.input == {"reason": "As ordered", "hours": 2, "urgent": False}


def test_should_ask_after_set_only_for_what_is_needed(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    sets = ["--set", "reason=As ordered", "--set", "amount=90"]
    result = hitl("approve", approval_id, *sets, stdin="3\ny\n", terminal=True)
    assert result.status == 0
    assert "reason (" not in result.out
    assert "team (" not in result.out
    approval = world.store.approvals[approval_id]
    assert approval.votes[0].input == {"reason": "As ordered", "hours": 3, "urgent": False}
    assert approval.changes["amount"].after == 90


@pytest.mark.parametrize("typed", ["", "As ordered\n", "As ordered\n2\n\n\n", "no\n"])
def test_should_change_nothing_when_nobody_goes_on(hitl: Hitl, world: World, typed: str) -> None:
    approval_id = asking(world)
    result = hitl("approve", approval_id, stdin=typed, terminal=True)
    assert (result.status, "nobody answered (NOT_ANSWERED)" in result.err) == (1, True)
    assert world.store.approvals[approval_id].votes == ()


def test_should_end_by_ctrl_c_and_change_nothing(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("typer._click.termui.visible_prompt_func", ctrl_c)
    approval_id = asking(world)
    result = hitl("approve", approval_id, terminal=True)
    assert result.status == 130
    assert result.err.endswith("hitl: interrupted (INTERRUPTED)\n")
    assert world.store.approvals[approval_id].votes == ()


@pytest.mark.parametrize("words", [["--yes"], ["--yes", "--json"], []])
def test_should_ask_nobody_where_nobody_can_answer(
    hitl: Hitl, world: World, words: list[str]
) -> None:
    approval_id = asking(world)
    result = hitl("approve", approval_id, *words, stdin="As ordered\n2\n\n\ny\n")
    assert (result.status, result.out) == (2, "")
    assert ("reason" if words else "pass --yes") in result.err
    assert world.store.approvals[approval_id].votes == ()


def test_should_ask_in_a_terminal_with_yes_neither(hitl: Hitl, world: World) -> None:
    result = hitl("approve", asking(world), "--yes", stdin="As ordered\n2\n\n\n", terminal=True)
    assert (result.status, "input.reason: is required" in result.err) == (2, True)


def test_should_ask_for_nothing_to_reject_or_of_what_is_decided(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    assert hitl("reject", approval_id, stdin="y\n", terminal=True).status == 0
    result = hitl("approve", approval_id, stdin="y\n", terminal=True)
    assert (result.status, "reason (" in result.out) == (1, False)


def test_should_ask_for_the_form_where_only_a_value_is_changed(hitl: Hitl, world: World) -> None:
    approval_id = asking(world)
    answers = "As ordered\n3\n\n\ny\n"
    result = hitl("approve", approval_id, "--set", "amount=90", stdin=answers, terminal=True)
    assert result.status == 0
    approval = world.store.approvals[approval_id]
    assert approval.votes[0].input == {"reason": "As ordered", "hours": 3, "urgent": False}
    assert approval.changes["amount"].after == 90
