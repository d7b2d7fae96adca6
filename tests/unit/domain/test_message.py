"""Who is sent what: derived from an event, the same however often it is derived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.message import (
    LONGEST_RETRY,
    MAX_ATTEMPTS,
    Message,
    asked_by,
    depends_on_earlier,
    messages_of,
    next_reminder,
    receipts_of,
    reminders_of,
    retry_delay,
    to_same,
)
from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reminder import remind
from hitl_approval.domain.text import MAX_PERSON
from hitl_approval.domain.values import Values
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared

SOON, LATE = NOW + timedelta(minutes=1), NOW + timedelta(hours=2)
HALF, NEAR_THE_END = timedelta(minutes=30), timedelta(minutes=54)


BY_TOPIC = Directory().channels_of
BOTH = Directory(people={"ann": [Address("sns", "ann"), Address("ses", "ann@example.com")]})


def asked(**fields: Any) -> Any:
    request = any_request(approvers=("ann", "bob"), requester="rita")
    return any_opening(request=request, **fields)


def derived(transition: Any, **options: Any) -> list[Message]:
    """The messages of an event, after the request has asked each approver by the topic."""
    assert transition is not None
    approval = transition.after
    earlier = [
        Message(approval_id=approval.approval_id, sequence=1, kind="requested", recipient=name)
        for name in approval.deciders
    ]
    given: dict[str, Any] = {"channels_of": BY_TOPIC, "earlier": earlier} | options
    return messages_of(transition.entry, approval, **given)


def sent(transition: Any, **options: Any) -> dict[str, tuple[str, bool]]:
    messages = derived(transition, **options)
    assert len({message.key for message in messages}) == len(messages)
    return {message.recipient: (message.kind, message.to_requester) for message in messages}


def voted(approval: Approval) -> Any:
    return cast_vote(approval, Actor("bob", "link"), "approved", "", now=SOON)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda _: asked(), {"ann": ("requested", False), "bob": ("requested", False)}),
        (voted, {"ann": ("outcome", False), "rita": ("outcome", True)}),
        (
            lambda a: cancel(a, declared("rita"), "", now=SOON),
            {"ann": ("withdrawn", False), "bob": ("withdrawn", False)},
        ),
        (
            lambda a: expire(a, now=LATE),
            {"ann": ("expired", False), "bob": ("expired", False), "rita": ("expired", True)},
        ),
        (lambda a: remind(a, declared("rita"), ["bob"], now=SOON), {"bob": ("reminder", False)}),
    ],
    ids=["requested", "approved", "cancelled", "timeout", "reminded"],
)
def test_should_write_to_whom_an_event_concerns_but_not_to_who_did_it(
    made: Any, expected: dict[str, Any]
) -> None:
    assert sent(made(asked().after)) == expected


def test_should_tell_the_decider_too_when_silence_rejects() -> None:
    policy = Policy(on_timeout=OnTimeout.reject())
    assert sent(expire(asked(policy=policy).after, now=LATE)) == {
        "ann": ("outcome", False), "bob": ("outcome", False), "rita": ("outcome", True),
    }  # fmt: skip


def test_should_write_once_to_who_asks_and_may_decide() -> None:
    request = any_request(approvers=("ann", "Rita"), requester="rita")
    approval = any_opening(request=request, policy=Policy(allow_self_approval=True)).after
    assert sent(cast_vote(approval, declared("ann"), "rejected", "", now=SOON)) == {
        "Rita": ("outcome", False)
    }


def test_should_write_to_nobody_where_anyone_may_decide() -> None:
    opening = any_opening(request=any_request(requester="rita"))
    assert sent(opening) == {}
    assert sent(voted(opening.after)) == {"rita": ("outcome", True)}


@pytest.mark.parametrize("kind", ["outcome", "requested"])
def test_should_leave_out_what_the_deployment_does_not_send(kind: Any) -> None:
    transition = voted(asked().after) if kind == "outcome" else asked()
    assert sent(transition, without=frozenset({kind})) == {}


def test_should_derive_the_same_keys_again_and_others_for_other_events() -> None:
    opening = asked()
    first = [m.key for m in derived(opening)]
    assert [m.key for m in derived(opening)] == first
    assert not {m.key for m in derived(voted(opening.after))} & set(first)


class TestChannels:
    def test_should_be_a_message_for_each_channel_of_a_person(self) -> None:
        messages = derived(asked(), channels_of=BOTH.channels_of)
        assert [(m.recipient, m.channel, m.address) for m in messages] == [
            ("ann", "sns", "ann"), ("ann", "ses", "ann@example.com"), ("bob", "sns", "bob"),
        ]  # fmt: skip
        assert len({m.key for m in messages}) == 3

    def test_should_tell_the_end_by_the_channels_that_asked(self) -> None:
        opening = asked()
        earlier = derived(opening, channels_of=BOTH.channels_of)
        ended = derived(voted(opening.after), earlier=earlier)
        assert [(m.recipient, m.channel, m.address) for m in ended] == [
            ("ann", "sns", "ann"), ("ann", "ses", "ann@example.com"), ("rita", "sns", "rita"),
        ]  # fmt: skip

    def test_should_tell_who_asks_by_every_channel(self) -> None:
        rita = Directory(people={"rita": [Address("ses", "rita@example.com")]})
        ended = derived(voted(asked().after), channels_of=rita.channels_of)
        assert [(m.recipient, m.channel) for m in ended] == [("ann", "sns"), ("rita", "ses")]

    def test_should_depend_on_earlier_messages_from_the_second_event_on(self) -> None:
        opening = asked()
        assert not depends_on_earlier(opening.entry)
        assert not depends_on_earlier({"event": "voted"})
        assert depends_on_earlier(voted(opening.after).entry)
        assert depends_on_earlier(remind(opening.after, declared("rita"), ["bob"], now=SOON).entry)

    def test_should_find_what_went_the_same_way(self) -> None:
        by_topic, by_mail, bob = derived(asked(), channels_of=BOTH.channels_of)
        later = replace(by_mail, kind="outcome", sequence=2)
        assert to_same([by_topic, by_mail, bob, later], later) == [by_mail]
        assert asked_by([by_topic, by_mail, bob, later], "bob") == [Address("sns", "bob")]

    def test_should_give_receipts_oldest_first(self) -> None:
        first, second, open_ = derived(asked(), channels_of=BOTH.channels_of)
        assert receipts_of(
            [
                replace(second, receipt="b", sent_at=LATE),
                replace(open_, receipt="of a try"),
                replace(first, receipt="a", sent_at=SOON),
            ]
        ) == ("a", "b")


def test_should_have_short_keys_whatever_the_name() -> None:
    message = Message(
        approval_id="a", sequence=1, kind="requested", recipient="\ufdfa" * MAX_PERSON
    )
    assert len(message.key.encode()) < 100


class TestReminders:
    def test_should_come_in_their_order_and_before_the_end(self) -> None:
        opening = asked(reminders=(HALF, NEAR_THE_END))
        first = reminders_of(opening.entry, opening.after)
        assert first
        assert (first.number, first.due) == (1, NOW + HALF)
        second = next_reminder(first, opening.after, after=NOW + HALF)
        assert second
        assert (second.number, second.due, second.key) == (2, NOW + NEAR_THE_END, first.key)
        assert next_reminder(second, opening.after, after=NOW + NEAR_THE_END) is None

    def test_should_skip_what_was_missed(self) -> None:
        opening = asked(reminders=(HALF, NEAR_THE_END))
        first = reminders_of(opening.entry, opening.after)
        assert first
        assert next_reminder(first, opening.after, after=NOW + timedelta(minutes=59)) is None

    @pytest.mark.parametrize("reminders", [(), (timedelta(hours=1),)])
    def test_should_not_come_at_the_end_or_unasked(self, reminders: Any) -> None:
        opening = asked(reminders=reminders)
        assert reminders_of(opening.entry, opening.after) is None

    def test_should_have_a_message_of_its_own_for_each_person(self) -> None:
        opening = asked(reminders=(HALF,))
        timer = reminders_of(opening.entry, opening.after)
        assert timer
        keys = {replace(timer, recipient=name).key for name in ("ann", "bob")}
        assert len(keys | {timer.key}) == 3


def test_should_try_ever_less_often_and_at_least_every_hour() -> None:
    delays = [retry_delay(attempts) for attempts in range(1, MAX_ATTEMPTS + 1)]
    assert delays[:4] == [timedelta(seconds=s) for s in (15, 30, 60, 120)]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_RETRY
    assert timedelta(hours=20) < sum(delays, timedelta()) < timedelta(hours=28)


def changed(approval: Approval, name: str = "ann") -> Any:
    """Somebody approves with another amount."""
    return cast_vote(
        approval,
        declared(name),
        "approved",
        "",
        now=SOON,
        content_digest=approval.content_digest,
        values=Values(changes={"amount": 120}),
    )


def editable(needed: int = 2) -> Approval:
    request = any_request(
        approvers=("ann", "bob"), context={"amount": 100}, editable=["amount"], requester="rita"
    )
    policy = Policy(quorum=Quorum.at_least(needed))
    opened: Approval = any_opening(request=request, policy=policy).after
    return opened


def test_should_ask_the_others_again_when_somebody_has_changed_it() -> None:
    transition = changed(editable())
    assert sent(transition) == {"bob": ("changed", False)}
    audiences = {"#approvals": Address("slack", "C1")}
    [_, channel] = derived(transition, audiences=audiences)
    assert (channel.kind, channel.to_audience, channel.asks) == ("changed", True, True)
    assert not depends_on_earlier(transition.entry)
    answered = voted(editable())
    assert sent(changed(answered.after)) == {"bob": ("changed", False)}


def test_should_say_how_it_ended_where_the_change_decided() -> None:
    assert sent(changed(editable(1))) == {"bob": ("outcome", False), "rita": ("outcome", True)}
