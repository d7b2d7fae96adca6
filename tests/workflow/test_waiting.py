"""One approval from its start to its result, in both resume modes, with side effects counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from hitl_approval.domain.audit import Actor, isoformat
from hitl_approval.domain.errors import ApprovalNotFound, InvalidRequest, Unavailable
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.schedule import poll_delay
from hitl_approval.durable.retries import NOTIFY_ATTEMPTS, READ_ATTEMPTS
from hitl_approval.testing.virtual_time import eventually
from hitl_approval.usecases.request import RequestService
from tests.anything import a_document

from .conftest import Replaced, Stage, StageFactory


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_answer_with_the_decision_its_author_and_comment(
    stage: Stage, decision: str
) -> None:
    stage.start(a_document())
    stage.suspend()

    answer = stage.decide(decision, by="bob", comments="read it twice")
    body = stage.finish()

    assert answer.workflow == "resumed"
    assert body == {
        "approval_id": stage.approval_id,
        "document_id": "doc-123",
        "decision": decision,
        "comments": "read it twice",
        "decided_by": "bob",
        "decided_at": isoformat(stage.approval.decided_at or stage.clock.now()),
    }
    assert stage.approval.status == decision
    assert stage.approval.decided_by == "bob"
    assert stage.events() == ["requested", decision]
    assert len(stage.notifier.sent) == 1


def test_should_time_out_at_expiry(stage: Stage) -> None:
    stage.start(a_document(timeout_seconds=45))
    stage.suspend()

    stage.time_out_callback()

    assert stage.finish()["decision"] == "timeout"
    assert stage.approval.status == "timeout"
    assert stage.events() == ["requested", "timeout"]


def test_should_end_with_a_cancellation(stage: Stage) -> None:
    stage.start(a_document())
    stage.suspend()

    stage.decisions.cancel(
        stage.approval_id, Actor("user@example.com", "declared"), "not needed any more"
    )

    body = stage.finish()
    assert (body["decision"], body["decided_by"], body["comments"]) == (
        "cancelled",
        "user@example.com",
        "not needed any more",
    )


@pytest.mark.parametrize(
    "result", [b"approved", b'{"decision": "approved"}', b'{"decision": ', b"true"]
)
def test_should_approve_nothing_when_the_callback_brings_garbage(
    stage: Stage, result: bytes
) -> None:
    stage.start(a_document())
    stage.suspend()
    first = stage.open_callback().callback_details.callback_id

    stage.runner.send_callback_success(first, result)

    second = eventually(
        lambda: (
            (callback := stage.open_callback().callback_details.callback_id) != first and callback
        )
    )
    eventually(lambda: stage.approval.callback_id == second)
    assert stage.approval.pending
    assert not stage.done
    stage.decide("rejected")
    assert stage.finish()["decision"] == "rejected"


def test_should_stay_decidable_when_the_callback_is_failed_by_hand(stage: Stage) -> None:
    stage.start(a_document())
    stage.suspend()
    first = stage.open_callback().callback_details.callback_id

    stage.runner.send_callback_failure(first)

    eventually(lambda: stage.approval.callback_id != first)
    stage.decide()
    assert stage.finish()["decision"] == "approved"


def test_should_notice_a_decision_whose_callback_was_lost(stage: Stage) -> None:
    stage.start(a_document())
    stage.suspend()
    stage.decisions = type(stage.decisions)(
        store=stage.store, clock=stage.clock, meter=stage.meter, callbacks=_Broken()
    )

    assert stage.decide().workflow == "delayed"
    waited = stage.time_out_callback()

    assert stage.finish()["decision"] == "approved"
    assert waited <= timedelta(seconds=61)
    assert stage.meter.counted == ["ResumeFailed"]


class _Broken:
    def complete(self, callback_id: str) -> Any:
        return "delayed"


def test_should_read_a_decision_that_comes_before_the_workflow_suspends(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = stage.notifier.publish

    def publish_and_decide(notification: Any) -> None:
        publish(notification)
        stage.decide("approved", by="eager")

    monkeypatch.setattr(type(stage.notifier), "publish", lambda _, n: publish_and_decide(n))
    stage.start(a_document())

    assert stage.finish()["decided_by"] == "eager"
    assert stage.names() == [
        "document.callback-1",
        "document.create",
        "document.notify",
        "document.check",
    ]


def test_should_create_one_row_and_one_message_over_many_replays(stage: Stage) -> None:
    stage.start(a_document(timeout_seconds=86400))
    stage.suspend()

    for _ in range(6):
        stage.time_out_callback()
        stage.next_callback()
    stage.decide()

    assert stage.finish()["decision"] == "approved"
    assert stage.invocations >= 8
    assert len(stage.store.approvals) == 1
    assert len(stage.notifier.sent) == 1
    assert stage.events() == ["requested", "approved"]


def test_should_wait_three_times_as_long_between_checks(stage: Stage) -> None:
    stage.start(a_document(timeout_seconds=7 * 86400))
    stage.suspend()
    waits = []
    while not stage.done:
        waits.append(stage.time_out_callback().total_seconds())
        stage.next_callback()

    assert stage.finish()["decision"] == "timeout"
    assert waits[:4] == [61, 180, 723, 2892]  # each about three times the sum of those before
    assert max(waits) == 86400
    assert 7 * 86400 <= sum(waits) <= 7 * 86400 + 5
    assert len(stage.operations()) < 60


@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_keep_one_row_when_the_create_step_is_retried(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    stage = make_stage(RESUME_MODE=mode)
    create = stage.store.create
    calls = []

    def applied_but_reply_lost(transition: Any) -> Any:
        calls.append(transition.after.approval_id)
        created = create(transition)
        if len(calls) == 1:
            raise Unavailable("reply lost")
        return created

    monkeypatch.setattr(type(stage.store), "create", lambda _, t: applied_but_reply_lost(t))
    stage.start(a_document(timeout_seconds=600))
    if mode == "callback":
        stage.suspend()
        stage.decide()

    decision = "approved" if mode == "callback" else "timeout"
    assert stage.finish()["decision"] == decision
    assert len(calls) == 2
    assert len(set(calls)) == 1
    assert stage.events() == ["requested", decision]
    assert len(stage.notifier.sent) == 1


def test_should_note_that_it_has_read_a_decision_made_before_it_knew_of_the_record(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = stage.store.create
    calls = []

    def decided_before_the_reply(transition: Any) -> Any:
        calls.append(transition)
        created = create(transition)
        if len(calls) == 1:
            stage.decide("approved", by="eager")
            raise Unavailable("reply lost")
        return created

    monkeypatch.setattr(type(stage.store), "create", lambda _, t: decided_before_the_reply(t))
    stage.start(a_document())

    assert stage.finish()["decided_by"] == "eager"
    assert stage.approval.resumed


def test_should_note_an_early_decision_also_when_the_first_poll_fails(
    make_stage: StageFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage(RESUME_MODE="polling")
    create, get = stage.store.create, stage.store.get
    reads = []

    def decided_meanwhile(transition: Any) -> Any:
        create(transition)
        stage.decide("approved", by="eager")
        return get(transition.after.approval_id)

    def throttled(approval_id: str) -> Any:
        approval = get(approval_id)
        if approval and not approval.pending:
            reads.append(approval_id)
            if len(reads) == 2:  # the first is `notify`, the second the first poll
                raise Unavailable("throttled")
        return approval

    monkeypatch.setattr(type(stage.store), "create", lambda _, t: decided_meanwhile(t))
    monkeypatch.setattr(type(stage.store), "get", lambda _, i: throttled(i))
    stage.start(a_document())

    assert stage.finish()["decided_by"] == "eager"
    assert stage.approval.resumed


def test_should_notify_again_with_the_same_id_when_a_publish_failed(stage: Stage) -> None:
    stage.notifier.failures = 2
    stage.start(a_document())
    stage.suspend()

    assert [message.approval_id for message in stage.notifier.sent] == [stage.approval_id]
    assert stage.events() == ["requested"]


def test_should_put_a_failed_notification_on_record_and_stay_decidable(stage: Stage) -> None:
    stage.notifier.failures = 10_000
    stage.start(a_document())
    eventually(lambda: "notification_failed" in stage.events())
    stage.decide("rejected")

    assert stage.finish()["decision"] == "rejected"
    assert stage.meter.counted == ["NotificationFailed"]
    assert stage.events() == ["requested", "notification_failed", "rejected"]


@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_tell_the_approvers_at_the_next_check_when_it_failed_at_first(
    make_stage: StageFactory, mode: str
) -> None:
    stage = make_stage(RESUME_MODE=mode)
    stage.notifier.failures = NOTIFY_ATTEMPTS + 1
    stage.start(a_document(timeout_seconds=600))
    if mode == "callback":
        eventually(lambda: "notification_failed" in stage.events())
        for _ in range(3):
            stage.time_out_callback()
            stage.next_callback()
        stage.decide()

    assert stage.finish()["decision"] == ("approved" if mode == "callback" else "timeout")
    assert [message.approval_id for message in stage.notifier.sent] == [stage.approval_id]
    assert stage.events().count("notification_failed") == 1


def test_should_fail_visibly_when_the_record_cannot_be_created(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(_: Any, __: Any) -> Any:
        raise Unavailable("throttled for ever")

    monkeypatch.setattr(type(stage.store), "create", throttled)
    stage.start(a_document())

    assert "throttled for ever" in str(stage.fail().message)
    assert stage.notifier.sent == []


def test_should_withdraw_what_was_written_when_the_start_fails_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = stage.store.create

    def applied_but_never_answered(transition: Any) -> Any:
        create(transition)
        raise Unavailable("reply lost")

    monkeypatch.setattr(type(stage.store), "create", lambda _, t: applied_but_never_answered(t))
    stage.start(a_document())

    assert "reply lost" in str(stage.fail().message)
    assert stage.approval.status == "cancelled"
    assert stage.events() == ["requested", "cancelled"]
    assert stage.notifier.sent == []


def test_should_fail_rather_than_approve_when_the_row_is_gone(stage: Stage) -> None:
    stage.start(a_document(timeout_seconds=30))
    stage.suspend()
    stage.store.approvals.clear()

    stage.time_out_callback()

    assert "no approval has the id" in str(stage.fail().message)


def flip(stage: Stage, **fields: Any) -> None:
    """As somebody does who may write the table: the row alone says that ann has approved."""
    flipped = {"status": "approved", "decided_by": "ann", "decided_at": stage.clock.now(), **fields}
    stage.store.approvals[stage.approval_id] = replace(stage.approval, **flipped)


def test_should_fail_rather_than_believe_a_row_that_was_approved_by_hand(stage: Stage) -> None:
    stage.start(a_document())
    stage.suspend()
    flip(stage)

    stage.completer.complete(str(stage.approval.callback_id))

    error = stage.fail()
    assert "is not what its audit trail says: " in str(error.message)
    assert stage.events() == ["requested"]
    assert stage.meter.counted == ["AlteredRecord"]
    assert not stage.approval.resumed


def test_should_fail_rather_than_believe_it_when_it_registers_the_next_callback(
    stage: Stage,
) -> None:
    stage.start(a_document(timeout_seconds=3600))
    stage.suspend()
    register = stage.store.register_callback

    def late(store: Any, approval_id: str, callback_id: str) -> Any:
        flip(stage)
        return register(approval_id, callback_id)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(stage.store), "register_callback", late)
        stage.time_out_callback()
        assert "is not what its audit trail says" in str(stage.fail().message)


def test_should_fail_rather_than_believe_it_when_it_polls(make_stage: StageFactory) -> None:
    stage = make_stage(RESUME_MODE="polling")
    check = stage.requests.check_status
    checks = 0

    def checked(approval_id: str) -> Any:
        nonlocal checks
        checks += 1
        if checks == 3:
            flip(stage)
        return check(approval_id)

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=checked))
    stage.start(a_document())

    assert "is not what its audit trail says" in str(stage.fail().message)


def test_should_fail_rather_than_act_on_other_content_than_was_approved(stage: Stage) -> None:
    stage.start(a_document())
    stage.suspend()
    runners, stage.completer.runners = stage.completer.runners, []
    stage.decide("approved")
    flip(stage, decided_by="bob", subject="Pay mallory")
    stage.completer.runners = runners
    stage.completer.complete(str(stage.approval.callback_id))

    assert "content" in str(stage.fail().message)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_resume_by_polling(make_stage: StageFactory, decision: str) -> None:
    stage = make_stage(RESUME_MODE="polling")
    check = stage.requests.check_status
    checks = 0

    def checked(approval_id: str) -> Any:
        nonlocal checks
        checks += 1
        if checks == 5:
            stage.decide(decision)
        return check(approval_id)

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=checked))
    stage.start(a_document())

    assert stage.finish()["decision"] == decision
    assert checks == 5
    assert stage.names() == [
        "document.token",
        "document.create",
        "document.notify",
        "document.poll",
    ]
    assert stage.approval.callback_id is None
    assert len(stage.notifier.sent) == 1


def test_should_survive_a_throttled_read_while_polling(make_stage: StageFactory) -> None:
    stage = make_stage(RESUME_MODE="polling")
    check = stage.requests.check_status
    checks = 0

    def throttled(approval_id: str) -> Any:
        nonlocal checks
        checks += 1
        if checks < 4:
            raise Unavailable("throttled")
        return check(approval_id)

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=throttled))
    stage.start(a_document(timeout_seconds=60))

    assert stage.finish()["decision"] == "timeout"


def test_should_poll_a_whole_year_within_the_operations_of_one_execution() -> None:
    waited, year, polls = timedelta(0), timedelta(days=365), 0
    while waited < year:
        waited += max(poll_delay(timedelta(seconds=5), waited, year - waited), timedelta(seconds=1))
        polls += 1

    assert polls < 2_500


def test_should_read_the_record_when_it_could_not_tell_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later try must not speak of a record as it was: it may have ended since."""
    stage.notifier.failures = 1
    given: list[Any] = []
    notify = type(stage.requests).notify

    def watched(service: Any, approval_id: str, written: Any = None, **options: Any) -> None:
        given.append(written)
        notify(service, approval_id, written, **options)

    monkeypatch.setattr(type(stage.requests), "notify", watched)
    stage.start(a_document())
    stage.suspend()

    assert given[0].approval_id == stage.approval_id
    assert given[1] is None


APPROVERS = ["ann", "bob", "carol"]
DENIED = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")


@dataclass
class Picky:
    """A notifier that refuses some messages; keeps what was tried when, and what was sent."""

    stage: Stage
    refuses: Callable[[Notification], bool]
    error: Exception
    sent: int = 0
    tried: list[datetime] = field(default_factory=list)

    def publish(self, notification: Notification) -> str:
        if self.refuses(notification):
            self.tried.append(self.stage.clock.now())
            raise self.error
        self.sent += 1
        return ""


def refusing(
    stage: Stage, refuses: Callable[[Notification], bool], error: Exception | None = None
) -> Picky:
    """A deployment whose notifier refuses some messages."""
    notifier = Picky(stage, refuses, error or Unavailable("refused"))
    stage.requests = RequestService(
        store=stage.store, clock=stage.clock, meter=stage.meter, notifier=notifier
    )
    return notifier


@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_publish_once_when_it_can_be_published(make_stage: StageFactory, mode: str) -> None:
    stage = make_stage(RESUME_MODE=mode)
    began = stage.clock.now()
    outage = timedelta(minutes=5)
    notifier = refusing(stage, lambda _: stage.clock.now() < began + outage)
    stage.start(a_document(approvers=APPROVERS, timeout_seconds=7200))
    if mode == "callback":
        while not stage.done:
            stage.time_out_callback()
            stage.next_callback()

    assert stage.finish()["decision"] == "timeout"
    assert notifier.sent == 1
    (failed,) = [e for e in stage.store.history(stage.approval_id) if "reason" in e["details"]][:1]
    assert failed["details"]["reason"] == "everybody: refused"


@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_try_to_publish_ever_less_often(make_stage: StageFactory, mode: str) -> None:
    # A day of polls each five minutes, not each five seconds: a quarter as many to run.
    stage = make_stage(RESUME_MODE=mode, POLL_INTERVAL_SECONDS="300")
    notifier = refusing(stage, lambda _: True)
    stage.start(a_document(approvers=["ann"], timeout_seconds=86400))
    if mode == "callback":
        while not stage.done:
            stage.time_out_callback()
            stage.next_callback()

    assert stage.finish()["decision"] == "timeout"
    later = [moment - notifier.tried[0] for moment in notifier.tried[NOTIFY_ATTEMPTS:]]
    assert 8 <= len(later) <= 12  # a day of waiting twice as long each time
    assert all(later[n + 1] >= later[n] * 1.4 for n in range(len(later) - 1))
    assert stage.events().count("notification_failed") == 1


@pytest.mark.parametrize(
    "error",
    [
        InvalidRequest("context", "is too much for a message"),
        ApprovalNotFound("another"),
        DENIED,
        ParamValidationError(report="Message: too long"),
        RuntimeError("a bug"),
        RecursionError(),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("mode", ["callback", "polling"])
def test_should_wait_on_whatever_a_notification_raises(
    make_stage: StageFactory, mode: str, error: Exception
) -> None:
    stage = make_stage(RESUME_MODE=mode)
    refusing(stage, lambda _: True, error)
    stage.start(a_document(approvers=APPROVERS, timeout_seconds=600))
    if mode == "callback":
        eventually(lambda: "notification_failed" in stage.events())
        stage.time_out_callback()
        stage.next_callback()
        stage.decide()

    assert stage.finish()["decision"] == ("approved" if mode == "callback" else "timeout")
    assert stage.events()[:2] == ["requested", "notification_failed"]
    assert stage.meter.counted == ["NotificationFailed"]


def test_should_wait_on_when_a_failed_notification_cannot_be_noted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(stage, lambda _: True)
    commit = type(stage.store).commit

    def full(store: Any, transition: Any) -> None:
        if transition.event.event == "notification_failed":
            raise InvalidRequest("item", "has no room")
        commit(store, transition)

    monkeypatch.setattr(type(stage.store), "commit", full)
    stage.start(a_document())
    eventually(lambda: "NotificationFailed" in stage.meter.counted)
    stage.decide()

    assert stage.finish()["decision"] == "approved"


def test_should_stop_publishing_when_it_has_ended(make_stage: StageFactory) -> None:
    stage = make_stage()

    def refuses(_: Notification) -> bool:
        stage.decide(by="ann")
        return True

    notifier = refusing(stage, refuses)
    stage.start(a_document(approvers=APPROVERS))

    assert stage.finish()["decided_by"] == "ann"
    assert notifier.sent == 0
    assert len(notifier.tried) == 1
    assert stage.events() == ["requested", "approved"]


@pytest.mark.parametrize("error", [DENIED, RuntimeError("a bug"), Unavailable("throttled")])
def test_should_poll_on_for_an_hour_whatever_a_read_raises(
    make_stage: StageFactory, error: Exception
) -> None:
    stage = make_stage(RESUME_MODE="polling")
    check, checks = stage.requests.check_status, 0

    def refused(approval_id: str) -> Any:
        nonlocal checks
        checks += 1
        if checks < READ_ATTEMPTS:
            raise error
        return check(approval_id)

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=refused))
    began = stage.clock.now()
    stage.start(a_document(timeout_seconds=60))

    assert stage.finish()["decision"] == "timeout"
    assert stage.clock.now() - began > timedelta(minutes=50)


def test_should_fail_visibly_when_a_record_cannot_be_polled_for_an_hour(
    make_stage: StageFactory,
) -> None:
    stage = make_stage(RESUME_MODE="polling")
    checks = 0

    def refused(_: str) -> Any:
        nonlocal checks
        checks += 1
        raise DENIED

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=refused))
    stage.start(a_document(timeout_seconds=60))

    assert "AccessDenied" in str(stage.fail().message)
    assert checks == READ_ATTEMPTS


def test_should_fail_rather_than_poll_on_when_the_row_is_gone(make_stage: StageFactory) -> None:
    stage = make_stage(RESUME_MODE="polling")

    def gone(approval_id: str) -> Any:
        raise ApprovalNotFound(approval_id)

    object.__setattr__(stage, "requests", Replaced(stage.requests, check_status=gone))
    stage.start(a_document(timeout_seconds=60))

    assert "no approval has the id" in str(stage.fail().message)
