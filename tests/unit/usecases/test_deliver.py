"""Every person is sent each message once, whatever breaks; nothing delays what stands behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from bench.wire import item_size
from hitl_approval.adapters.items import marshal
from hitl_approval.adapters.rows import new_row
from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.domain.errors import (
    InvalidRequest,
    RemindedAlready,
    Unanswered,
    Unavailable,
    Undeliverable,
    UnreadableRecord,
)
from hitl_approval.domain.message import ATTEMPTS_TO_NOTE, LEASE, MAX_ATTEMPTS, MAX_UNANSWERED
from hitl_approval.domain.reminder import REMIND_AGAIN
from hitl_approval.testing import RecordingNotifier, World
from hitl_approval.usecases.deliver import DeliveryService
from tests.anything import any_opening, any_request, declared

APPROVERS = ("ann", "bob", "cid")
MINUTE = timedelta(minutes=1)


def asked(world: World, *, approvers: tuple[str, ...] = APPROVERS, **fields: Any) -> str:
    request = any_request(approvers=approvers, requester="rita")
    opening = any_opening(now=world.clock.now(), request=request, **fields)
    return world.store.create(opening).approval_id


def take(world: World, approval_id: str, first: int = 0) -> None:
    events = world.store.history(approval_id)[first:]
    assert world.delivery.take(events) == len(events)


def sent(world: World) -> list[tuple[str | None, str]]:
    return [(message.recipient, message.kind) for message in world.notifier.sent]


def states(world: World, kind: str = "requested") -> dict[str, str]:
    return {m.recipient: m.state for m in world.messages.messages.values() if m.kind == kind}


def let_pass(world: World, duration: timedelta) -> None:
    """The clock by which the messenger tries again, each minute."""
    for _ in range(int(duration / MINUTE)):
        world.clock.advance(MINUTE)
        world.delivery.deliver_due()


def approve(world: World, approval_id: str, by: str = "bob") -> None:
    world.decisions.decide(approval_id, declared(by), "approved", "fine")


def test_should_send_each_approver_their_own_and_once_however_often_it_is_brought(
    world: World,
) -> None:
    approval_id = asked(world)
    for _ in range(3):
        take(world, approval_id)
        let_pass(world, MINUTE)
    assert Counter(sent(world)) == Counter((name, "requested") for name in APPROVERS)
    links = {part for m in world.notifier.sent for part in m.body.split() if "/a/" in part}
    assert len(links) == len(APPROVERS)


def test_should_repeat_nobody_s_message_because_another_cannot_be_sent(world: World) -> None:
    world.notifier.unreachable = {"bob"}
    approval_id = asked(world, timeout=timedelta(days=366))
    take(world, approval_id)
    let_pass(world, timedelta(hours=30))
    assert Counter(sent(world)) == Counter({("ann", "requested"): 1, ("cid", "requested"): 1})
    assert states(world) == {"ann": "sent", "bob": "failed", "cid": "sent"}
    (bob,) = [m for m in world.messages.about(approval_id) if m.recipient == "bob"]
    assert (bob.attempts, len(bob.links)) == (MAX_ATTEMPTS, MAX_ATTEMPTS)
    assert world.meter.counted.count("NotificationFailed") == 1
    (failed,) = [e for e in world.store.history(approval_id) if e["event"] == "notification_failed"]
    assert failed["details"]["reason"] == "bob: the topic did not take the message"


def test_should_send_nineteen_of_twenty_theirs_once_in_a_year(world: World) -> None:
    people = tuple(f"person-{number}@{'x' * 200}.example.com" for number in range(20))
    broken, *others = people
    world.notifier.unreachable = {broken}
    days = tuple(timedelta(days=day) for day in (30, 90, 180, 300))
    approval_id = asked(world, approvers=people, timeout=timedelta(days=366), reminders=days)
    take(world, approval_id)
    for _ in range(366):
        world.clock.advance(timedelta(days=1))
        world.delivery.deliver_due()
    world.requests.check_status(approval_id)
    take(world, approval_id, first=1)

    kinds = ["requested", *["reminder"] * len(days), "expired"]
    for name in others:
        assert [kind for to, kind in sent(world) if to == name] == kinds
    assert broken not in {to for to, _ in sent(world)}
    row = marshal(new_row(world.store.approvals[approval_id], retention=timedelta(days=30)))
    assert item_size(row) < 100_000
    assert max(len(m.links) for m in world.messages.messages.values()) <= MAX_ATTEMPTS


def test_should_say_early_that_somebody_cannot_be_reached(world: World) -> None:
    world.notifier.unreachable = {"bob"}
    approval_id = asked(world)
    take(world, approval_id)
    let_pass(world, ATTEMPTS_TO_NOTE * MINUTE)
    assert "notification_failed" in [e["event"] for e in world.store.history(approval_id)]
    assert world.meter.counted == ["NotificationFailed"]


def test_should_send_once_when_it_can_be_sent_again(world: World) -> None:
    world.notifier.failures = 7
    take(world, asked(world))
    let_pass(world, timedelta(minutes=20))
    assert Counter(sent(world)) == Counter((name, "requested") for name in APPROVERS)


def test_should_send_again_what_may_not_have_arrived(world: World) -> None:
    publish = type(world.notifier).publish

    def lost(self: Any, notification: Any) -> None:
        publish(self, notification)
        if len(self.sent) == 1:
            raise Unanswered("SNS did not answer")

    with patch.object(type(world.notifier), "publish", lost):
        take(world, asked(world))
        let_pass(world, 2 * MINUTE)
    assert Counter(sent(world))["ann", "requested"] == 2
    assert states(world) == dict.fromkeys(APPROVERS, "sent")


def test_should_park_what_never_had_an_answer(world: World) -> None:
    approval_id = asked(world, timeout=timedelta(days=30))
    error = Unanswered("SNS did not answer", reason="ReadTimeoutError")
    with patch.object(type(world.notifier), "publish", side_effect=error):
        take(world, approval_id)
        let_pass(world, timedelta(hours=1))
    assert states(world) == dict.fromkeys(APPROVERS, "parked")
    assert {m.attempts for m in world.messages.about(approval_id)} == {MAX_UNANSWERED + 1}
    assert world.meter.counted.count("NotificationFailed") == len(APPROVERS)


class Died(BaseException):
    """The process has gone."""


def test_should_go_on_with_the_others_when_one_kills_the_process(world: World) -> None:
    approval_id = asked(world, timeout=timedelta(days=30))
    publish = type(world.notifier).publish

    def deadly(self: Any, notification: Any) -> None:
        if notification.recipient == "bob":
            raise Died
        publish(self, notification)

    with patch.object(type(world.notifier), "publish", deadly):
        with pytest.raises(Died):
            take(world, approval_id)
        take(world, approval_id)  # brought again, since nothing was answered
        assert Counter(sent(world)) == Counter({("ann", "requested"): 1, ("cid", "requested"): 1})
        for _ in range(60):
            world.clock.advance(LEASE)
            try:
                world.delivery.deliver_due()
            except Died:
                continue
    assert states(world) == {"ann": "sent", "bob": "parked", "cid": "sent"}
    assert len(sent(world)) == 2


def test_should_bring_again_only_what_could_not_be_recorded(world: World) -> None:
    approval_id = asked(world)
    approve(world, approval_id)
    events = world.store.history(approval_id)
    insert = type(world.messages).insert

    def refuses(self: Any, message: Any, approval: Any) -> bool:
        if message.kind == "outcome":
            raise Unavailable("DynamoDB did not take the call")
        return insert(self, message, approval)

    with patch.object(type(world.messages), "insert", refuses):
        assert world.delivery.take(events) == 1
    assert world.delivery.take(events[1:]) == 1


@pytest.mark.parametrize("refused", [ATTEMPTS_TO_NOTE, MAX_ATTEMPTS])
def test_should_put_on_record_later_what_cannot_be_now(world: World, refused: int) -> None:
    """Whether a try is to be noted, or was the last: a write that fails once loses no note."""
    world.notifier.unreachable = {"bob"}
    approval_id = asked(world, timeout=timedelta(days=366))
    commit = type(world.store).commit
    tries = [1] if refused == ATTEMPTS_TO_NOTE else list(range(1, MAX_ATTEMPTS - 2))

    def fails(self: Any, transition: Any) -> None:
        if tries:
            tries.pop()
            raise Unavailable("DynamoDB did not take the call")
        commit(self, transition)

    with patch.object(type(world.store), "commit", fails):
        take(world, approval_id)
        let_pass(world, timedelta(hours=32))
    events = [e["event"] for e in world.store.history(approval_id)]
    assert events == ["requested", "notification_failed"]
    assert states(world) == {"ann": "sent", "bob": "failed", "cid": "sent"}


@pytest.mark.parametrize("error", [UnreadableRecord("a", "policy"), KeyError("quorum")])
def test_should_end_though_the_record_can_be_read_no_more(world: World, error: Exception) -> None:
    approval_id = asked(world, approvers=("bob",), timeout=timedelta(days=366))
    world.notifier.unreachable = {"bob"}
    take(world, approval_id)
    with patch.object(type(world.store), "get", side_effect=error):
        let_pass(world, timedelta(hours=30))
    assert states(world)["bob"] in {"failed", "parked"}
    assert "NotificationFailed" in world.meter.counted


def test_should_record_all_though_one_of_them_cannot_be_marked(world: World) -> None:
    approval_id = asked(world)
    mark = type(world.messages).mark_sent

    def broken(self: Any, message: Any, *args: Any) -> None:
        if message.recipient == "ann":
            raise KeyError("somebody's own")
        mark(self, message, *args)

    with patch.object(type(world.messages), "mark_sent", broken):
        take(world, approval_id)
    assert states(world) == {"ann": "open", "bob": "sent", "cid": "sent"}


@pytest.mark.parametrize("event", [{}, {"approval_id": "x"}, {"approval_id": "gone", "event": "?"}])
def test_should_pass_what_is_none_of_ours(world: World, event: dict[str, Any]) -> None:
    approval_id = asked(world)
    events = [event, *world.store.history(approval_id)]
    assert world.delivery.take(events) == len(events)
    assert len(sent(world)) == len(APPROVERS)


def test_should_leave_to_the_clock_what_there_is_no_time_for(world: World) -> None:
    approval_id = asked(world)
    events = world.store.history(approval_id)
    assert world.delivery.take(events, within=timedelta(seconds=1)) == len(events)
    assert sent(world) == []
    assert states(world) == dict.fromkeys(APPROVERS, "open")
    world.delivery.deliver_due()
    assert len(sent(world)) == len(APPROVERS)


class TestOutcome:
    def test_should_come_to_who_asked_and_to_who_was_asked(self, world: World) -> None:
        approval_id = asked(world)
        take(world, approval_id)
        approve(world, approval_id)
        take(world, approval_id, first=1)
        by_name = {m.recipient: m.body for m in world.notifier.sent if m.kind == "outcome"}
        assert set(by_name) == {"ann", "cid", "rita"}
        assert "Your request was approved by bob." in by_name["rita"]
        assert "The request of rita was approved by bob. There is nothing for you" in by_name["ann"]
        assert "fine" in by_name["ann"]
        assert not any("/a/" in body for body in by_name.values())

    def test_should_come_to_nobody_who_was_never_asked(self, world: World) -> None:
        approval_id = asked(world)
        approve(world, approval_id)
        take(world, approval_id)
        assert sent(world) == [("rita", "outcome")]
        assert states(world) == dict.fromkeys(APPROVERS, "void")

    def test_should_wait_for_a_request_that_is_on_its_way(self, world: World) -> None:
        world.notifier.unreachable = {"ann"}
        approval_id = asked(world)
        take(world, approval_id)
        approve(world, approval_id)
        take(world, approval_id, first=1)
        assert ("ann", "outcome") not in sent(world)
        world.notifier.unreachable = set()
        let_pass(world, 5 * MINUTE)
        assert ("ann", "outcome") not in sent(world)  # her request ended before it was sent
        assert states(world, "outcome") == {"ann": "void", "cid": "sent", "rita": "sent"}

    def test_should_come_when_the_request_may_have_arrived(self, world: World) -> None:
        approval_id = asked(world)
        error = Unanswered("SNS did not answer")
        with patch.object(type(world.notifier), "publish", side_effect=error):
            take(world, approval_id)
        approve(world, approval_id)
        take(world, approval_id, first=1)
        let_pass(world, 5 * MINUTE)
        assert {("ann", "outcome"), ("cid", "outcome")} <= set(sent(world))
        assert states(world) == dict.fromkeys(APPROVERS, "void")

    @pytest.mark.parametrize("end", ["cancelled", "timeout"])
    def test_should_say_how_it_ended(self, world: World, end: str) -> None:
        approval_id = asked(world)
        take(world, approval_id)
        if end == "cancelled":
            world.decisions.cancel(approval_id, declared("rita"))
        else:
            world.clock.advance(timedelta(hours=1))
            world.requests.check_status(approval_id)
        take(world, approval_id, first=1)
        kind, said = {
            "cancelled": ("withdrawn", "has been withdrawn by rita."),
            "timeout": ("expired", "has expired: nobody decided in time."),
        }[end]
        by_name = [m for m in world.notifier.sent if m.kind == kind]
        assert len(by_name) == (3 if end == "cancelled" else 4)
        assert all(said in message.body for message in by_name)


class TestReminders:
    def reminded(self, world: World) -> Counter[str | None]:
        return Counter(to for to, kind in sent(world) if kind == "reminder")

    def test_should_come_to_those_who_have_not_answered(self, world: World) -> None:
        delays = (timedelta(minutes=30), timedelta(minutes=50))
        approval_id = asked(world, reminders=delays)
        take(world, approval_id)
        let_pass(world, timedelta(minutes=29))
        assert not self.reminded(world)
        let_pass(world, 2 * MINUTE)
        assert self.reminded(world) == dict.fromkeys(APPROVERS, 1)
        body = next(m.body for m in world.notifier.sent if m.kind == "reminder")
        assert body.startswith("Reminder: rita asks for your approval.")
        assert "/a/" in body
        approve(world, approval_id)
        let_pass(world, timedelta(hours=1))
        assert self.reminded(world) == dict.fromkeys(APPROVERS, 1)

    def test_should_never_be_two_at_once(self, world: World) -> None:
        delays = tuple(timedelta(minutes=m) for m in (10, 20, 30, 50))
        take(world, asked(world, reminders=delays))
        world.clock.advance(timedelta(minutes=40))  # the messenger did not run
        world.delivery.deliver_due()
        assert self.reminded(world) == dict.fromkeys(APPROVERS, 1)
        let_pass(world, timedelta(minutes=15))
        assert self.reminded(world) == dict.fromkeys(APPROVERS, 2)

    def test_should_not_come_while_the_request_itself_is_on_its_way(self, world: World) -> None:
        world.notifier.unreachable = {"bob"}
        take(world, asked(world, reminders=(timedelta(minutes=10),)))
        let_pass(world, timedelta(minutes=11))
        assert self.reminded(world) == {"ann": 1, "cid": 1}

    def test_should_not_come_at_all_where_they_are_switched_off(self, world: World) -> None:
        delivery = replace(world.delivery, without=frozenset({"reminder"}))
        delivery.take(world.store.history(asked(world, reminders=(10 * MINUTE,))))
        let_pass(world, 30 * MINUTE)
        assert not self.reminded(world)

    def test_should_go_on_after_a_crash_without_repeating(self, world: World) -> None:
        take(world, asked(world, reminders=(timedelta(minutes=10),)))
        world.clock.advance(timedelta(minutes=10))
        publish = type(world.notifier).publish

        def deadly(self: Any, notification: Any) -> None:
            if notification.recipient == "bob":
                raise Died
            publish(self, notification)

        with patch.object(type(world.notifier), "publish", deadly), pytest.raises(Died):
            world.delivery.deliver_due()
        let_pass(world, timedelta(minutes=6))
        assert self.reminded(world) == dict.fromkeys(APPROVERS, 1)


class TestRemind:
    def test_should_ask_again_who_has_not_answered(self, world: World) -> None:
        approval_id = asked(world)
        take(world, approval_id)
        world.decisions.remind(approval_id, declared("rita"))
        take(world, approval_id, first=1)
        assert Counter(sent(world)) == Counter(
            (name, kind) for name in APPROVERS for kind in ("requested", "reminder")
        )
        assert world.store.history(approval_id)[-1]["event"] == "reminded"

    def test_should_not_be_too_soon_for_one_who_was_reminded(self, world: World) -> None:
        approval_id = asked(world)
        world.decisions.remind(approval_id, declared("rita"), ["ann"])
        world.decisions.remind(approval_id, declared("rita"), ["bob"])
        with pytest.raises(RemindedAlready, match="ann was reminded at"):
            world.decisions.remind(approval_id, declared("eve"), ["Ann"])
        world.clock.advance(REMIND_AGAIN)
        world.decisions.remind(approval_id, declared("rita"), ["ann"])

    def test_should_refuse_who_is_not_asked(self, world: World) -> None:
        approval_id = asked(world)
        with pytest.raises(InvalidRequest, match="'eve' is not an approver"):
            world.decisions.remind(approval_id, declared("rita"), ["eve"])


class TestChannels:
    """A person with two channels is sent each message by both, each by itself."""

    @staticmethod
    def by_two(world: World) -> tuple[DeliveryService, RecordingNotifier]:
        mail = RecordingNotifier()
        both = [Address("sns", "ann"), Address("ses", "ann@example.com")]
        directory = Directory(people={"ann": both, "rita": both[1:]})
        delivery = replace(
            world.delivery,
            notifiers={"sns": world.notifier, "ses": mail},
            directory=directory,
        )
        return delivery, mail

    @staticmethod
    def take(delivery: DeliveryService, world: World, approval_id: str, first: int = 0) -> None:
        events = world.store.history(approval_id)[first:]
        assert delivery.take(events) == len(events)

    @staticmethod
    def let_pass(delivery: DeliveryService, world: World, minutes: int) -> None:
        for _ in range(minutes):
            world.clock.advance(MINUTE)
            delivery.deliver_due()

    def test_should_be_sent_by_each_with_a_link_of_its_own(self, world: World) -> None:
        delivery, mail = self.by_two(world)
        self.take(delivery, world, asked(world))
        assert sorted(sent(world)) == [(name, "requested") for name in APPROVERS]
        [by_mail] = mail.sent
        assert (by_mail.recipient, by_mail.address) == ("ann", "ann@example.com")
        by_topic = next(m for m in world.notifier.sent if m.recipient == "ann")
        assert by_mail.link
        assert by_topic.link != by_mail.link
        assert by_mail.key != by_topic.key
        assert by_mail.at == world.clock.now()

    @pytest.mark.parametrize("broken", ["sns", "ses"])
    def test_should_not_repeat_or_delay_the_other_when_one_refuses(
        self, world: World, broken: str
    ) -> None:
        delivery, mail = self.by_two(world)
        by_channel = {"sns": world.notifier, "ses": mail}
        by_channel[broken].unreachable = {"ann"}
        self.take(delivery, world, asked(world))
        other = by_channel["ses" if broken == "sns" else "sns"]
        self.let_pass(delivery, world, 20)
        assert [m.kind for m in other.sent if m.recipient == "ann"] == ["requested"]
        assert [m for m in by_channel[broken].sent if m.recipient == "ann"] == []
        by_channel[broken].unreachable = set()
        self.let_pass(delivery, world, 35)
        kinds = [m.kind for m in by_channel[broken].sent if m.recipient == "ann"]
        assert kinds.count("requested") == 1
        assert [m.kind for m in other.sent if m.recipient == "ann"].count("requested") == 1

    def asked_reminded_and_approved(self, delivery: DeliveryService, world: World) -> str:
        approval_id = asked(world, reminders=(10 * MINUTE,))
        self.take(delivery, world, approval_id)
        self.let_pass(delivery, world, 12)
        approve(world, approval_id)
        self.take(delivery, world, approval_id, first=1)
        return approval_id

    def test_should_be_reminded_and_notified_by_both(self, world: World) -> None:
        delivery, mail = self.by_two(world)
        self.asked_reminded_and_approved(delivery, world)
        kinds = ["requested", "reminder", "outcome"]
        assert [m.kind for m in mail.sent if m.recipient == "ann"] == kinds
        assert [m.kind for m in world.notifier.sent if m.recipient == "ann"] == kinds
        assert [m.kind for m in mail.sent if m.recipient == "rita"] == ["outcome"]

    def test_should_bring_what_the_channel_gave_back_before(self, world: World) -> None:
        delivery, mail = self.by_two(world)
        approval_id = self.asked_reminded_and_approved(delivery, world)
        receipts = [m.receipts for m in mail.sent if m.recipient == "ann"]
        assert receipts == [(), ("receipt 1",), ("receipt 1", "receipt 2")]
        kept = [m for m in world.messages.about(approval_id) if m.channel == "ses"]
        assert {m.receipt for m in kept} == {f"receipt {n}" for n in (1, 2, 3, 4)}

    def test_should_fail_at_once_when_the_channel_never_will(self, world: World) -> None:
        delivery, mail = self.by_two(world)
        approval_id = asked(world)
        refused = Undeliverable("the address does not exist")
        with patch.object(type(mail), "publish", side_effect=refused, autospec=True) as publish:
            delivery = replace(delivery, directory=Directory(mail=True))
            approval_id = asked(world, approvers=("ann@example.com",))
            self.take(delivery, world, approval_id)
            self.let_pass(delivery, world, 30)
        assert publish.call_count == 1
        [message] = world.messages.about(approval_id)
        assert (message.state, message.reason) == ("failed", "the address does not exist")
        [*_, noted] = world.store.history(approval_id)
        assert noted["event"] == "notification_failed"
        assert noted["details"]["reason"] == "ann@example.com: the address does not exist"

    def test_should_fail_in_words_where_the_deployment_has_the_channel_no_more(
        self, world: World
    ) -> None:
        delivery, mail = self.by_two(world)
        approval_id = asked(world)
        mail.unreachable = {"ann"}
        self.take(delivery, world, approval_id)
        without = replace(delivery, notifiers={"sns": world.notifier})
        self.let_pass(without, world, 2)
        [by_mail] = [m for m in world.messages.about(approval_id) if m.channel == "ses"]
        assert (by_mail.state, by_mail.reason) == ("failed", "nothing is sent by ses any more")

    def test_should_go_to_an_address_that_was_corrected_since(self, world: World) -> None:
        delivery, mail = self.by_two(world)
        mail.unreachable = {"ann"}
        self.take(delivery, world, asked(world))
        mail.unreachable = set()
        there = Directory(people={"ann": [Address("ses", "ann@example.org")]})
        self.let_pass(replace(delivery, directory=there), world, 2)
        assert [m.address for m in mail.sent] == ["ann@example.org"]

    def test_should_tell_the_end_where_it_asked_though_the_directory_changed(
        self, world: World
    ) -> None:
        delivery, mail = self.by_two(world)
        approval_id = asked(world)
        self.take(delivery, world, approval_id)
        approve(world, approval_id)
        now = replace(delivery, directory=Directory())
        self.take(now, world, approval_id, first=1)
        ended = [m for m in mail.sent if m.kind == "outcome"]
        assert [(m.recipient, m.address) for m in ended] == [("ann", "ann@example.com")]

    def test_should_say_where_who_signs_in_sees_it(self, world: World) -> None:
        inbox = "https://approvals.example.com"
        approval_id = asked(world)
        delivery = replace(world.delivery, inbox_url=inbox)
        self.take(delivery, world, approval_id)
        assert {m.entry for m in world.notifier.sent} == {f"{inbox}/approvals/{approval_id}"}
        world.notifier.sent.clear()
        requests = replace(world.requests, inbox_url=inbox)
        requests.notify(approval_id)
        [everybody] = world.notifier.sent
        assert everybody.entry == f"{inbox}/approvals/{approval_id}"

    def test_should_name_the_deployment_in_its_commands(self, world: World) -> None:
        approval_id = asked(world)
        self.take(replace(world.delivery, stack="prod"), world, approval_id)
        replace(world.requests, stack="prod").notify(approval_id)
        assert {m.stack for m in world.notifier.sent} == {"prod"}
        assert all(f"hitl approve {approval_id}" in m.body for m in world.notifier.sent)
        assert all(m.body.endswith(" --stack prod\n") for m in world.notifier.sent)
