"""What a crash, an outage or an operator leaves behind is found, repaired and counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import Unavailable, UnreadableRecord
from hitl_approval.domain.escalation import SWEEP_GRACE
from hitl_approval.domain.policy import Policy
from hitl_approval.testing import World
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_id, any_request, declared

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NOTHING = {"PendingPastExpiry": 0, "DecidedNotResumed": 0, "PassedOver": 0}


def ask(world: World, callback_id: str | None = "callback-1") -> str:
    approval_id = any_id()
    request = any_request()
    resolved = ResolvedRequest(request=request, approvers=(), policy=Policy(), timeout=HOUR)
    world.requests.submit(
        resolved,
        approval_id=approval_id,
        execution_arn=f"arn/{approval_id}",
        creation_token="token",
        callback_id=callback_id,
    )
    return approval_id


def test_should_find_nothing_when_all_is_well(world: World) -> None:
    ask(world)
    decided = ask(world)
    world.decisions.decide(decided, declared("bob"), "approved")
    world.requests.check_status(decided)  # the workflow resumes
    world.clock.advance(HOUR / 2)

    assert world.sweeps.sweep() == NOTHING
    assert world.meter.counted == []
    assert world.meter.measured == [("Pending", 1, "Count")]


def test_should_leave_the_workflow_time_to_do_it_by_itself(world: World) -> None:
    decided = ask(world)
    world.decisions.decide(decided, declared("bob"), "approved")
    world.clock.advance(SWEEP_GRACE)
    assert world.sweeps.sweep() == NOTHING


def test_should_resume_again_until_the_workflow_has_resumed(world: World) -> None:
    world.callbacks.answer = "delayed"
    decided = ask(world)
    world.decisions.decide(decided, declared("bob"), "approved")
    world.clock.advance(HOUR)
    world.callbacks.answer = "resumed"

    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 1}
    assert world.callbacks.completed == ["callback-1", "callback-1"]
    world.requests.check_status(decided)
    assert world.sweeps.sweep() == NOTHING
    assert world.meter.counted == ["ResumeFailed", "DecidedNotResumed"]


def test_should_close_what_its_workflow_did_not_close(world: World) -> None:
    approval_id = ask(world)
    world.executions.ended.add(f"arn/{approval_id}")
    world.clock.advance(HOUR + 2 * SWEEP_GRACE)

    assert world.sweeps.sweep() == NOTHING | {"PendingPastExpiry": 1}
    assert world.store.approvals[approval_id].status == "timeout"
    assert [e["event"] for e in world.store.history(approval_id)] == ["requested", "timeout"]
    assert world.sweeps.sweep() == NOTHING


def test_should_report_a_decision_whose_workflow_was_stopped_once(world: World) -> None:
    approval_id = ask(world)
    world.executions.ended.add(f"arn/{approval_id}")
    world.decisions.decide(approval_id, declared("bob"), "rejected")
    world.clock.advance(HOUR)

    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 1}
    assert world.sweeps.sweep() == NOTHING
    assert world.store.approvals[approval_id].status == "rejected"
    assert len(world.callbacks.completed) == 1  # the decision's own


def test_should_report_again_rather_than_never_when_a_sweep_dies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = ask(world)
    world.executions.ended.add(f"arn/{approval_id}")
    world.decisions.decide(approval_id, declared("bob"), "rejected")
    world.clock.advance(HOUR)

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(world.store), "mark_resumed", dies)
        with pytest.raises(KeyboardInterrupt):
            world.sweeps.sweep()

    assert world.meter.counted == ["DecidedNotResumed"]
    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 1}
    assert world.sweeps.sweep() == NOTHING


def test_should_report_what_cannot_be_noted_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = ask(world)
    world.executions.ended.add(f"arn/{approval_id}")
    world.clock.advance(HOUR + 2 * SWEEP_GRACE)

    def throttled(*_: Any) -> None:
        raise Unavailable("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(type(world.store), "mark_resumed", throttled)
        assert world.sweeps.sweep() == NOTHING | {"PendingPastExpiry": 1}
    assert world.store.approvals[approval_id].status == "timeout"


def test_should_let_a_polling_workflow_take_its_time(world: World) -> None:
    approval_id = ask(world, callback_id=None)
    world.decisions.decide(approval_id, declared("bob"), "approved")
    world.clock.advance(HOUR)
    assert world.sweeps.sweep() == NOTHING
    assert world.callbacks.completed == []


def test_should_repair_the_others_when_one_cannot_be_repaired_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ask(world), ask(world)
    for approval_id in (first, second):
        world.decisions.decide(approval_id, declared("bob"), "approved")
    world.clock.advance(HOUR)

    def check_status(_: Any, execution_arn: str) -> str:
        if execution_arn == f"arn/{first}":
            raise Unavailable("throttled")
        return "ended"

    monkeypatch.setattr(type(world.executions), "check_status", check_status)

    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 2}
    assert not world.store.approvals[first].resumed
    assert world.store.approvals[second].resumed


def undecided_neighbours(world: World, count: int) -> tuple[list[str], str]:
    """Decisions that no workflow has read, oldest first; the last one is somebody else's."""
    ids = [ask(world) for _ in range(count + 1)]
    for approval_id in ids:
        world.decisions.decide(approval_id, declared("bob"), "approved")
        world.clock.advance(timedelta(seconds=1))
    world.clock.advance(HOUR)
    world.callbacks.completed.clear()
    return ids[:-1], ids[-1]


@pytest.mark.parametrize("error", [UnreadableRecord("a", "policy"), KeyError("quorum"), OSError()])
def test_should_pass_over_a_record_with_an_error_of_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Any
) -> None:
    (broken,), good = undecided_neighbours(world, 1)
    get = type(world.store).get

    def read(self: Any, approval_id: str) -> Any:
        if approval_id == broken:
            raise error
        return get(self, approval_id)

    monkeypatch.setattr(type(world.store), "get", read)

    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 1, "PassedOver": 1}
    assert world.callbacks.completed == ["callback-1"]
    assert sorted(world.meter.counted[-2:]) == ["DecidedNotResumed", "PassedOver"]
    assert f"{type(error).__name__} approval_id={broken}" in caplog.text
    assert "quorum" not in caplog.text
    assert not world.store.approvals[good].resumed


def refuse_to_check(world: World, monkeypatch: pytest.MonkeyPatch, ids: list[str]) -> list[str]:
    """Lambda refuses to say how these executions are; every check takes a second."""
    checked = []
    check_status = type(world.executions).check_status

    def refuses(self: Any, execution_arn: str) -> str:
        world.clock.advance(timedelta(seconds=1))
        checked.append(execution_arn.removeprefix("arn/"))
        if checked[-1] in ids:
            raise Unavailable("Lambda did not take the call now", reason="AccessDeniedException")
        return check_status(self, execution_arn)

    monkeypatch.setattr(type(world.executions), "check_status", refuses)
    return checked


FOR_A_HUNDRED = timedelta(seconds=100) / 0.9
"""Of a sweep whose checks take a second each, if the lists before leave it their time."""


def test_should_not_meet_what_cannot_be_repaired_in_front_of_what_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = undecided_neighbours(world, 100)
    checked = refuse_to_check(world, monkeypatch, bad)

    assert world.sweeps.sweep(FOR_A_HUNDRED)["DecidedNotResumed"] == 100
    assert good not in checked
    world.clock.advance(5 * MINUTE)
    found = world.sweeps.sweep(FOR_A_HUNDRED)

    assert good in checked
    assert world.callbacks.completed == ["callback-1"]
    assert found["DecidedNotResumed"] + found["PassedOver"] > 30


def test_should_not_meet_pollers_in_front_of_what_can_be_repaired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pollers = [ask(world, callback_id=None) for _ in range(100)]
    good = ask(world)
    for approval_id in (*pollers, good):
        world.clock.advance(timedelta(milliseconds=1))  # the sweep meets them in this order
        world.decisions.decide(approval_id, declared("bob"), "approved")
    world.clock.advance(HOUR)
    world.callbacks.completed.clear()
    checked = refuse_to_check(world, monkeypatch, [])

    assert world.sweeps.sweep(FOR_A_HUNDRED)["DecidedNotResumed"] == 0
    assert good not in checked
    world.clock.advance(5 * MINUTE)
    world.sweeps.sweep(FOR_A_HUNDRED)

    assert world.callbacks.completed == ["callback-1"]


def test_should_try_what_cannot_be_repaired_ever_more_rarely_and_count_it_each_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = undecided_neighbours(world, 1)
    world.requests.check_status(good)
    checked = refuse_to_check(world, monkeypatch, bad)

    began, tried = world.clock.now(), []
    for _ in range(48):
        before = len(checked)
        assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 1}
        tried += [round((world.clock.now() - began) / MINUTE)] * (len(checked) - before)
        world.clock.advance(5 * MINUTE)

    assert tried == [0, 5, 15, 35, 75, 140, 205]
    (one,) = world.store.postponed()
    assert one.reason == "Lambda did not take the call now AccessDeniedException"


def test_should_park_what_cannot_be_read_and_count_it_until_somebody_takes_it_up(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (broken,), good = undecided_neighbours(world, 1)
    world.requests.check_status(good)
    get, reads = type(world.store).get, []

    def read(self: Any, approval_id: str) -> Any:
        reads.append(approval_id)
        raise UnreadableRecord(approval_id, "policy.quorum is weighted")

    monkeypatch.setattr(type(world.store), "get", read)
    for _ in range(3):
        caplog.clear()
        assert world.sweeps.sweep() == NOTHING | {"PassedOver": 1}
        assert f"approval_id={broken}" in caplog.text
        world.clock.advance(24 * HOUR)
    assert reads == [broken]
    (parked,) = world.store.postponed()
    assert (parked.until, parked.pending) == (None, False)
    assert parked.reason == f"the record of {broken} cannot be read: policy.quorum is weighted"

    monkeypatch.setattr(type(world.store), "get", get)
    assert world.sweeps.sweep() == NOTHING | {"PassedOver": 1}
    world.store.take_up(broken, at=world.clock.now() - SWEEP_GRACE)
    world.clock.advance(5 * MINUTE)
    world.callbacks.completed.clear()
    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 1}
    assert world.callbacks.completed == ["callback-1"]


def test_should_close_what_could_not_be_closed_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = ask(world)
    world.clock.advance(2 * HOUR)

    def throttled(*_: Any) -> None:
        raise Unavailable("throttled")

    with monkeypatch.context() as patch:
        patch.setattr(type(world.store), "commit", throttled)
        for _ in range(3):
            assert world.sweeps.sweep() == NOTHING | {"PendingPastExpiry": 1}
            world.clock.advance(6 * MINUTE)
    world.clock.advance(HOUR)

    assert world.sweeps.sweep() == NOTHING | {"PendingPastExpiry": 1}
    assert world.store.approvals[approval_id].status == "timeout"
    assert world.sweeps.sweep() == NOTHING


def test_should_meet_again_what_cannot_be_postponed(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = undecided_neighbours(world, 1)
    checked = refuse_to_check(world, monkeypatch, bad)

    def full(*_: Any, **__: Any) -> None:
        raise OSError("Item size has exceeded")

    monkeypatch.setattr(type(world.store), "postpone", full)

    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 2}
    assert checked == [*bad, good]
    assert f"not noted: OSError approval_id={bad[0]}" in caplog.text


def test_should_see_what_stands_behind_any_number_that_cannot_be_repaired_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, good = undecided_neighbours(world, 250)

    def check_status(_: Any, execution_arn: str) -> str:
        if execution_arn == f"arn/{good}":
            return "running"
        raise Unavailable("refused")

    monkeypatch.setattr(type(world.executions), "check_status", check_status)

    assert world.sweeps.sweep() == NOTHING | {"DecidedNotResumed": 251}
    assert world.callbacks.completed == ["callback-1"]


def test_should_end_in_time_and_say_what_it_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    undecided_neighbours(world, 99)
    stuck = ask(world)
    world.clock.advance(2 * HOUR)

    def check_status(*_: Any) -> str:
        world.clock.advance(timedelta(seconds=1))
        raise Unavailable("slow")

    monkeypatch.setattr(type(world.executions), "check_status", check_status)

    # Of 100 seconds 30 are for each list: the first takes none, the second one, the third the rest.
    found = world.sweeps.sweep(within=timedelta(seconds=100))

    assert world.store.approvals[stuck].status == "timeout"
    assert found == {"PendingPastExpiry": 1, "DecidedNotResumed": 89, "PassedOver": 1}
