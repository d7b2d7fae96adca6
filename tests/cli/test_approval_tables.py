"""Tables of approvals in terminals of several widths and in pipes."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from rich.console import Console

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.view import view
from hitl_approval.testing import World
from hitl_approval.usecases.decide import Workflow
from hitl_approval_cli import approval_tables, output
from tests.anything import any_opening, any_request, declared

from .conftest import Hitl


def terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> io.StringIO:
    """What a terminal of so many columns shows."""
    shown = io.StringIO()
    console = Console(
        file=shown, force_terminal=True, width=width, color_system=None, highlight=False
    )
    monkeypatch.setattr(output, "out", console)
    return shown


@pytest.mark.parametrize("width", [40, 80, 140])
def test_should_show_what_and_when_beside_ids_that_fit(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    shown = terminal(monkeypatch, width)
    long = any_request(subject="Quarterly " * 9, requester="somebody@a-long-domain.example.com")
    asked = view(any_opening(request=long, now=datetime.now(UTC)).after)
    ids = ["f" * 32, "f" * 9 + "e" * 23]

    approval_tables.approvals([asked | {"approval_id": one} for one in ids], "pending")

    _, *lines = shown.getvalue().splitlines()
    seen = [one if width >= 100 else one[:10] for one in ids]
    assert [line.split()[0] for line in lines] == seen
    assert all(len(line) <= width and "Quarterly" in line for line in lines)
    assert all("59m left" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("wanted", ["pending", "approved"])
def test_should_cut_neither_ids_nor_times_nor_what_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, width: int, wanted: str
) -> None:
    shown = terminal(monkeypatch, width)
    request = any_request(subject="Delete the customer data of 2015 and backups", requester="x")
    timeout = timedelta(minutes=119, seconds=30)
    item = view(any_opening(request=request, now=datetime.now(UTC), timeout=timeout).after)
    decided_by = "somebody@a-long-domain.example.com"

    approval_tables.approvals([item | {"approval_id": "f" * 32, "decided_by": decided_by}], wanted)

    title, line = shown.getvalue().splitlines()
    assert line.split()[0] == "f" * (8 if width < 100 else 32)
    assert max(len(title), len(line)) <= width
    assert "…" not in title
    if wanted == "pending":
        assert line.rstrip().endswith("119m left")
        assert (request.subject in line) == (width >= 80)
    elif width == 140:
        assert request.subject in line
        assert decided_by in line


@pytest.mark.parametrize(("width", "hashes"), [(40, 0), (80, 0), (140, 1)])
def test_should_name_who_did_it_in_a_terminal_of_any_width(
    world: World, monkeypatch: pytest.MonkeyPatch, width: int, hashes: int
) -> None:
    shown = terminal(monkeypatch, width)
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    world.decisions.decide(approval_id, declared("bob"), "approved")
    trail = {"events": world.store.history(approval_id), "verified": True, "findings": []}

    approval_tables.history(trail)

    text = shown.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    assert "bob" in text
    assert text.count("HASH") == hashes


def test_should_leave_no_blanks_at_the_ends_of_what_is_piped(
    world: World, hitl: Hitl, capsys: pytest.CaptureFixture[str]
) -> None:
    request = any_request(context={"note": "x" * 300, "more": "y"})
    world.store.create(any_opening(request=request, now=world.clock.now(), approval_id="a" * 32))
    for words in (("show", "a" * 32), ("history", "a" * 32), ("list",)):
        assert [row for row in hitl(*words).out.splitlines() if row != row.rstrip()] == []


@pytest.mark.parametrize(
    ("workflow", "sentence"),
    [
        ("resumed", "the workflow resumes"),
        ("already_running", "the workflow runs already"),
        (
            "ended",
            "this is on record, but the workflow that asked has ended and will not act on it",
        ),
        ("delayed", "the workflow was not reached and will resume within minutes"),
        ("polling", "the workflow reads it at its next poll"),
    ],
)
def test_should_say_in_a_sentence_what_becomes_of_the_workflow(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch, workflow: str, sentence: str
) -> None:
    callback_id = None if workflow == "polling" else "callback-1"
    opening = any_opening(now=world.clock.now(), callback_id=callback_id)
    approval_id = world.store.create(opening).approval_id
    if callback_id:
        monkeypatch.setattr(type(world.callbacks), "complete", lambda *_: workflow)
    assert hitl("approve", approval_id, "--yes").out == (
        f"{approval_id} approved by bob; {sentence}\n"
    )
    assert hitl("approve", approval_id, "--yes", "--json").json["workflow"] == workflow


def test_should_say_that_the_workflow_waits_for_more_approvals(hitl: Hitl, world: World) -> None:
    opening = any_opening(now=world.clock.now(), policy=Policy(quorum=Quorum.at_least(2)))
    approval_id = world.store.create(opening).approval_id
    said = hitl("approve", approval_id, "--yes").out
    assert said == (
        f"{approval_id} pending: 1 of 2 approvals; anyone with access can still answer; "
        "the workflow waits\n"
    )
    assert hitl("approve", approval_id, "--yes", "--json").json["workflow"] == "waiting"


def test_should_count_the_approvals_of_the_stage_that_is_open(hitl: Hitl, world: World) -> None:
    """A rejection that does not decide is none, and those of an earlier stage are over."""
    policy = Policy(
        stages=(Stage(["cid", "dan"], quorum=Quorum.at_least(2), timeout=timedelta(hours=1)),),
        rejections_needed=2,
    )
    request = any_request(approvers=["ann", "bob"])
    opening = any_opening(request=request, now=world.clock.now(), policy=policy)
    approval_id = world.store.create(opening).approval_id
    said = hitl("reject", approval_id, "--yes", "--as", "ann", "-m", "too much").out
    assert f"{approval_id} pending: stage 1 of 2: 0 of 1 approvals, 1 of 2 rejections; " in said
    said = hitl("approve", approval_id, "--yes", "--as", "bob").out
    assert f"{approval_id} pending: stage 2 of 2: 0 of 2 approvals; " in said


def test_should_have_a_sentence_for_every_answer() -> None:
    assert set(approval_tables.WORKFLOW) == set(get_args(Workflow))
