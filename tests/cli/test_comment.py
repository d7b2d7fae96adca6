"""`hitl comment`: a question, an answer or a remark, and that the request stays open."""

from __future__ import annotations

import pytest

from hitl_approval.testing import World

from .conftest import Hitl
from .pending import requested


def test_should_ask_and_answer_and_show_it(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann",), requester="rita@example.com")
    asked = hitl("comment", approval_id, "--question", "-m", "Which month?", "--as", "ann")
    assert asked.out.splitlines() == [
        f"{approval_id}: your question is on record. It is sent to rita@example.com.",
        asked.out.splitlines()[1],
    ]
    assert asked.out.splitlines()[1].startswith("It is still pending and expires at ")
    shown = hitl("show", approval_id).out
    assert "Question 2" in shown
    assert "Which month?" in shown
    answered = hitl(
        "comment", approval_id, "--answers", "2", "-m", "May", "--as", "rita@example.com", "--json"
    )
    assert (answered.json["to"], answered.json["already"]) == (["ann"], False)
    shown = hitl("show", approval_id).out
    assert shown.index("Which month?") < shown.index("Answer to 2") < shown.index("May")
    trail = hitl("history", approval_id).out
    assert "commented" in trail
    assert "Which month?" in trail
    assert hitl("show", approval_id, "--json").json["thread"][1]["comments"] == "May"
    assert world.store.approvals[approval_id].pending


def test_should_say_that_it_was_said_already(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann",))
    for already in ("", "already "):
        said = hitl("comment", approval_id, "-m", "mind the month's end", "--as", "ann").out
        assert f"your comment is {already}on record. Nobody is sent it" in said


def test_should_say_that_a_program_may_not_be_reached(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann",), requester="nightly-job")
    said = hitl("comment", approval_id, "--question", "-m", "why?", "--as", "ann").out
    assert "If that is a program, nobody can be sent it, and it is on record only." in said


@pytest.mark.parametrize(
    ("words", "status", "problem"),
    [
        (("-m", "hi", "--as", "eve"), 1, "eve neither asked for this nor is asked to decide it"),
        (("-m", " ", "--as", "ann"), 2, "must not be empty"),
        (("-m", "x" * 2_001, "--as", "ann"), 2, "at most 2000 characters"),
        (("-m", "a\u202eb", "--as", "ann"), 2, "U+202E"),
        (("-m", "hi", "--answers", "1", "--as", "ann"), 2, "nothing was asked"),
        (("-m", "hi", "--answers", "0", "--as", "ann"), 2, "--answers"),
        (("-m", "hi", "--answers", "two", "--as", "ann"), 2, "--answers"),
        (("-m", "hi", "--question", "--answers", "1"), 2, "--question and --answers"),
        (("--question",), 2, "--message"),
    ],
)
def test_should_refuse_in_one_line(
    hitl: Hitl, world: World, words: tuple[str, ...], status: int, problem: str
) -> None:
    approval_id = requested(world, approvers=("ann",))
    result = hitl("comment", approval_id, *words)
    assert result.status == status
    assert problem in result.err
    assert world.store.approvals[approval_id].thread_length == 0


def test_should_show_hostile_words_inert(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann",))
    hitl("comment", approval_id, "-m", "[bold red]x[/] \u200b", "--as", "ann")
    shown = hitl("show", approval_id).out
    assert "[bold red]x[/] \\u200b" in shown
