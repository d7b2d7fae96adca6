"""The use cases when others write at the same time, when replies are lost and names clash."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.contract import Metrics
from hitl_approval.domain.errors import AlreadyDecided, InvalidRequest, Unavailable
from hitl_approval.domain.policy import Policy, Quorum
from hitl_approval.testing import InMemoryStore, World, in_memory
from hitl_approval.usecases.records import MAX_TRIES
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_request, declared

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return in_memory()


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


def meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], times: int = 1
) -> None:
    """Let somebody else act between the read and the commit of the next writes."""
    commit = InMemoryStore.commit
    left = times

    def late(store: InMemoryStore, transition: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(InMemoryStore, "commit", commit)
                act()
        commit(store, transition)

    monkeypatch.setattr(InMemoryStore, "commit", late)


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


def test_should_tell_who_came_first_when_another_has_decided_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world,
        monkeypatch,
        lambda: world.decisions.decide("approval-1", declared("bob"), "approved"),
    )

    with pytest.raises(AlreadyDecided, match="already approved by bob"):
        world.decisions.decide("approval-1", declared("carol"), "rejected")


def test_should_complete_the_callback_that_was_registered_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world, monkeypatch, lambda: world.requests.register_callback("approval-1", "callback-2")
    )

    world.decisions.decide("approval-1", declared("bob"), "approved")

    assert world.callbacks.completed == ["callback-2"]


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


def test_should_take_its_own_repeated_request_for_the_same(world: World) -> None:
    first = submit(world)
    world.clock.advance(timedelta(seconds=5))

    assert submit(world) == first
    assert len(world.store.history("approval-1")) == 1


def test_should_refuse_a_name_that_is_used_twice_and_leave_the_first_alone(world: World) -> None:
    first = submit(world, "token-1")

    with pytest.raises(InvalidRequest, match="is used twice in this execution"):
        submit(world, "token-2")
    world.requests.withdraw("approval-1", "token-2")  # as the wait does after a failed start

    assert world.store.approvals["approval-1"] == first


def test_should_withdraw_its_own_request_once(world: World) -> None:
    submit(world)

    for _ in range(2):
        world.requests.withdraw("approval-1", "token-1")
    world.requests.withdraw("nobody", "token-1")

    assert world.store.approvals["approval-1"].status == "cancelled"
    assert [e["event"] for e in world.store.history("approval-1")] == ["requested", "cancelled"]


def test_should_close_a_failed_start_that_has_expired_meanwhile(world: World) -> None:
    submit(world)
    world.clock.advance(HOUR)

    world.requests.withdraw("approval-1", "token-1")

    assert world.store.approvals["approval-1"].status == "timeout"


def test_should_close_what_has_expired_when_its_workflow_checks(world: World) -> None:
    submit(world)
    world.clock.advance(HOUR)

    assert world.requests.check_status("approval-1").status == "timeout"
    assert world.store.approvals["approval-1"].status == "timeout"


def test_should_tell_of_what_was_just_written_without_reading_it(world: World) -> None:
    written = submit(world)
    world.store.approvals.clear()  # a read would find nothing

    world.requests.notify(written.approval_id, written)

    assert [sent.approval_id for sent in world.notifier.sent] == [written.approval_id]


def test_should_tell_nobody_of_what_has_ended_meanwhile(world: World) -> None:
    written = submit(world)
    world.decisions.cancel(written.approval_id, declared("rita"))

    world.requests.notify(written.approval_id)

    assert world.notifier.sent == []
    assert Metrics.NOTIFICATION_FAILED not in world.meter.counted


def test_should_count_as_not_notified_what_silence_has_ended_meanwhile(world: World) -> None:
    written = submit(world)
    world.clock.advance(timedelta(days=400))
    assert world.sweeps.sweep()[Metrics.PENDING_PAST_EXPIRY] == 1

    world.requests.notify(written.approval_id)

    assert world.notifier.sent == []
    assert world.meter.counted.count(Metrics.NOTIFICATION_FAILED) == 1
