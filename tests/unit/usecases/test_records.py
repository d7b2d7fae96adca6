"""A write that others come before is made again, up to a limit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World
from hitl_approval.usecases.records import MAX_TRIES, PATIENCE, draw_salt
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_request, declared
from tests.unit.usecases.submitted import HOUR, meanwhile


def submit(world: World, token: str = "token-1", quorum: Quorum | None = None) -> Any:
    resolved = ResolvedRequest(
        request=any_request(),
        approvers=(),
        policy=Policy(quorum=quorum or Quorum.any_one()),
        timeout=HOUR,
    )
    return world.requests.submit(
        resolved,
        approval_id="approval-1",
        execution_arn="arn/1",
        creation_token=token,
        callback_id=f"callback of {token}",
    )


def test_should_salt_each_personal_value_that_it_puts_on_record(world: World) -> None:
    submit(world, quorum=Quorum.at_least(2))
    world.decisions.decide("approval-1", declared("bob"), "approved", "fine")
    world.decisions.decide("approval-1", declared("carol"), "approved", "fine")

    events = world.store.history("approval-1")
    salts = [salt for event in events for salt in event["salts"].values()]
    assert [sorted(event["salts"]) for event in events] == [
        ["actor"],
        ["actor", "comments"],
        ["actor", "comments"],
    ]
    assert len(set(salts)) == len(salts)
    assert all(len(salt) == len(draw_salt()) for salt in salts)
    assert examine(events, world.store.get("approval-1")) == []


def test_should_vote_again_on_what_another_has_written_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world, quorum=Quorum.at_least(2))
    meanwhile(
        world,
        monkeypatch,
        lambda: world.decisions.decide("approval-1", declared("bob"), "approved"),
    )

    answer = world.decisions.decide("approval-1", declared("carol"), "approved")

    stored = world.store.approvals["approval-1"]
    assert answer.approval == stored
    assert (stored.status, [vote.approver for vote in stored.votes]) == (
        "approved",
        ["bob", "carol"],
    )
    assert world.clock.pauses == 1


def test_should_give_up_on_a_record_that_others_write_all_the_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world,
        monkeypatch,
        lambda: world.requests.register_callback("approval-1", "another"),
        times=MAX_TRIES,
    )

    with pytest.raises(Unavailable, match="contended"):
        world.decisions.decide("approval-1", declared("bob"), "approved")

    assert world.store.approvals["approval-1"].pending
    assert world.callbacks.completed == []


def test_should_say_not_now_before_the_invocation_s_time_is_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)

    def slowly() -> None:
        world.clock.advance(PATIENCE / 4)
        world.requests.register_callback("approval-1", "another")

    meanwhile(world, monkeypatch, slowly, times=1_000)
    with pytest.raises(Unavailable, match="contended"):
        world.decisions.decide("approval-1", declared("bob"), "approved")
    assert world.clock.pauses == 3
    assert timedelta(seconds=30) > PATIENCE
