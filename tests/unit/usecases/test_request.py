"""A request: made once, withdrawn, closed, notified of; refused if nobody could decide it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.contract import Metrics
from hitl_approval.domain.errors import InvalidRequest, Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World
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


def replace_first(world: World, token: str = "token-2", **fields: Any) -> Any:
    """A second execution of the same function, whose request replaces the first."""
    resolved = ResolvedRequest(
        request=any_request(**{"supersedes": "approval-1"} | fields),
        approvers=(),
        policy=Policy(),
        timeout=HOUR,
    )
    return world.requests.submit(
        resolved,
        approval_id="approval-2",
        execution_arn="arn/2",
        creation_token=token,
        callback_id=f"callback of {token}",
    )


def test_should_replace_a_request_and_resume_its_workflow(world: World) -> None:
    submit(world)
    assert replace_first(world).pending

    replaced = world.store.approvals["approval-1"]
    assert (replaced.status, replaced.superseded_by) == ("cancelled", "approval-2")
    assert world.callbacks.completed == ["callback of token-1"]
    assert world.requests.check_status("approval-1").status == "cancelled"
    assert world.store.approvals["approval-2"].supersedes == "approval-1"


def test_should_take_a_try_whose_answer_was_lost_for_its_own(world: World) -> None:
    submit(world)
    first = replace_first(world)
    assert replace_first(world) == first
    assert world.callbacks.completed == ["callback of token-1"] * 2
    assert len(world.store.history("approval-1")) == 2
    with pytest.raises(InvalidRequest, match="is used twice in this execution"):
        replace_first(world, "token-3")


def test_should_never_lose_a_decision_that_comes_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world,
        monkeypatch,
        lambda: world.decisions.decide("approval-1", declared("bob"), "approved"),
    )
    with pytest.raises(InvalidRequest, match=r"has ended \(approved by bob\)"):
        replace_first(world)
    assert world.store.approvals.keys() == {"approval-1"}
    assert world.store.approvals["approval-1"].status == "approved"


def test_should_replace_what_has_changed_and_is_still_pending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world, quorum=Quorum.at_least(2))
    meanwhile(
        world,
        monkeypatch,
        lambda: world.decisions.decide("approval-1", declared("bob"), "approved"),
    )
    assert replace_first(world).pending
    assert world.clock.pauses == 1
    assert len(world.store.approvals["approval-1"].votes) == 1


def test_should_give_up_on_what_always_changes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world,
        monkeypatch,
        lambda: world.store.register_callback("approval-1", "callback"),
        times=1_000,
    )
    with pytest.raises(Unavailable, match="to replace is contended"):
        replace_first(world)
    assert world.store.approvals.keys() == {"approval-1"}


def test_should_leave_who_was_replaced_to_the_sweep_if_it_cannot_be_resumed(world: World) -> None:
    submit(world)
    world.callbacks.answer = "delayed"
    assert replace_first(world).pending
    assert world.meter.counted == [Metrics.RESUME_FAILED]


def test_should_refuse_to_replace_what_is_not_there(world: World) -> None:
    with pytest.raises(InvalidRequest, match=r"^supersedes: names 'approval-1', which is no"):
        replace_first(world)
    assert world.store.approvals == {}


def test_should_take_its_own_repeated_request_for_the_same(world: World) -> None:
    first = submit(world)
    world.clock.advance(timedelta(seconds=5))

    assert submit(world) == first
    assert len(world.store.history("approval-1")) == 1


def test_should_refuse_a_name_that_is_used_twice_and_leave_the_first_alone(world: World) -> None:
    first = submit(world, "token-1")

    with pytest.raises(InvalidRequest, match="is used twice in this execution"):
        submit(world, "token-2")
    world.requests.abandon("approval-1", "token-2")  # as the wait does after a failed start

    assert world.store.approvals["approval-1"] == first


def test_should_withdraw_its_own_request_once(world: World) -> None:
    submit(world)

    for _ in range(2):
        world.requests.abandon("approval-1", "token-1")
    world.requests.abandon("nobody", "token-1")

    assert world.store.approvals["approval-1"].status == "cancelled"
    assert [e["event"] for e in world.store.history("approval-1")] == ["requested", "cancelled"]


def test_should_close_a_failed_start_that_has_expired_meanwhile(world: World) -> None:
    submit(world)
    world.clock.advance(HOUR)

    world.requests.abandon("approval-1", "token-1")

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


def resolved(approvers: tuple[str, ...], policy: Policy) -> ResolvedRequest:
    return ResolvedRequest(
        request=any_request(requester="rita"),
        approvers=approvers,
        policy=policy,
        timeout=timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("approvers", "policy", "message"),
    [
        (("Rita",), Policy(), "approvers: name only the requester, who cannot decide"),
        (("ann", "rita"), Policy(quorum=Quorum.at_least(2)), "approvers: quorum needs 2 approvals"),
        (("ann",), Policy(rejections_needed=2), "approvers: rejections_needed is 2 but 1"),
        ((), Policy(quorum=Quorum.everyone()), "approvers: quorum is everyone but no approvers"),
    ],
)
def test_should_refuse_what_nobody_could_ever_decide(
    approvers: tuple[str, ...], policy: Policy, message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        resolved(approvers, policy)
    assert str(refused.value).startswith(message)


def test_should_hold_what_others_can_decide() -> None:
    assert resolved(("ann", "rita"), Policy(quorum=Quorum.everyone())).approvers == ("ann", "rita")
