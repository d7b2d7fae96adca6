"""`hitl drill`: a harmless request shows who is reached and who answers, and ends with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.testing import World
from hitl_approval_cli import clock
from tests.anything import declared

from .conftest import Hitl
from .fake_cloud import FakeCloud

PEOPLE = ("ann", "bob", "cid")
"""Of the deployment; Bob is who runs the command."""
Pauses = list[Callable[[], object]]


@pytest.fixture(autouse=True)
def _deployed(cloud: FakeCloud) -> None:
    cloud.decisions = replace(cloud.decisions, people=PEOPLE)


@pytest.fixture
def pauses(world: World, monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """What happens in each pause, in turn; then time passes."""
    planned: Pauses = []

    def pause(seconds: float) -> None:
        if planned:
            planned.pop(0)()
        world.clock.advance(timedelta(seconds=seconds))

    monkeypatch.setattr(clock, "pause", pause)
    monkeypatch.setattr(clock, "now", world.clock.now)
    return planned


def the_one(world: World) -> str:
    [approval_id] = world.store.approvals
    return approval_id


def deliver(world: World) -> None:
    world.delivery.take(world.store.history(the_one(world)))
    world.delivery.deliver_due()


def answer(world: World, person: str, decision: Any = "approved") -> None:
    world.decisions.decide(the_one(world), declared(person), decision)


def rows(result: Any) -> dict[str, Any]:
    return {each["approver"]: each for each in result.json["people"]}


def test_should_say_who_was_reached_and_who_answered(
    hitl: Hitl, world: World, pauses: Pauses
) -> None:
    pauses += [lambda: deliver(world), lambda: answer(world, "ann"), lambda: answer(world, "cid")]
    result = hitl("drill", "--yes", "--json")
    assert result.status == 0
    assert {name: each["answer"] for name, each in rows(result).items()} == {
        "ann": "approved", "cid": "approved",
    }  # fmt: skip
    assert all(each["reached"] == ["sns"] for each in rows(result).values())
    assert not pauses, "it ends as soon as all have answered"


def test_should_be_marked_as_a_drill_wherever_it_is_seen(
    hitl: Hitl, world: World, cloud: FakeCloud, pauses: Pauses
) -> None:
    hitl("drill", "--yes")
    [event] = cloud.started
    assert event["subject"].startswith("Drill: nothing is decided")
    assert "nothing follows" in event["context"]["drill"]
    record = world.store.approvals[the_one(world)]
    assert record.subject.startswith("Drill: ")
    assert '"drill"' in record.context
    assert event["requester"] == "bob"
    assert event["stages"][0]["approvers"] == ["ann", "cid"]


def test_should_withdraw_it_when_its_time_is_up(hitl: Hitl, world: World, pauses: Pauses) -> None:
    pauses += [lambda: deliver(world), lambda: answer(world, "ann")]
    result = hitl("drill", "--yes", "--within", "30s")
    assert result.status == 0
    assert "2 of 2 reached, 1 answered" in result.err
    assert "cid       by sns   none" in result.out
    record = world.store.approvals[the_one(world)]
    assert (record.status, record.comments) == ("cancelled", "the drill is over")


def test_should_withdraw_it_by_ctrl_c_and_say_how_it_stood(
    hitl: Hitl, world: World, pauses: Pauses
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    pauses += [lambda: deliver(world), interrupt]
    result = hitl("drill", "--yes", "--json")
    assert (result.status, len(rows(result))) == (0, 2)
    assert world.store.approvals[the_one(world)].status == "cancelled"


def test_should_end_with_a_rejection(hitl: Hitl, world: World, pauses: Pauses) -> None:
    pauses += [lambda: deliver(world), lambda: answer(world, "cid", "rejected")]
    result = hitl("drill", "--yes", "--json")
    assert result.status == 0
    assert (rows(result)["cid"]["answer"], rows(result)["ann"]["answer"]) == ("rejected", None)


def test_should_say_who_could_not_be_reached_and_why(
    hitl: Hitl, world: World, pauses: Pauses
) -> None:
    world.notifier.unreachable = {"ann"}
    pauses.append(lambda: deliver(world))
    result = hitl("drill", "--yes", "--within", "10s", "--json")
    assert result.status == 1
    assert rows(result)["ann"]["reached"] == []
    assert rows(result)["ann"]["not_reached"][0].startswith("sns: ")
    assert rows(result)["cid"]["not_reached"] == []


def test_should_ask_who_is_named(hitl: Hitl, cloud: FakeCloud, pauses: Pauses) -> None:
    hitl("drill", "--yes", "--approver", "Ann", "--approver", "Bob", "--within", "5s")
    assert cloud.started[0]["stages"][0]["approvers"] == ["Ann"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--yes", "--approver", "bob"], "name whom to ask with --approver"),
        ([], "pass --yes"),
        (["--yes", "--within", "soon"], "--within: must look like"),
        (
            ["--yes", "--approver", "zoe"],
            "--approver: names 'zoe', whom the deployment does not: name of ann, bob, cid",
        ),
    ],
)
def test_should_say_what_is_missing(
    hitl: Hitl, cloud: FakeCloud, words: list[str], said: str
) -> None:
    result = hitl("drill", *words)
    assert result.status == 2
    assert said in result.err
    assert cloud.started == []


def test_should_ask_nobody_when_who_runs_it_says_no(hitl: Hitl, cloud: FakeCloud) -> None:
    result = hitl("drill", stdin="n\n", terminal=True)
    assert "Ask 2 approvers?" in result.out
    assert cloud.started == []
