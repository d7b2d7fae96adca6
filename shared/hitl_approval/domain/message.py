"""Messages to people: who is sent what, derived from committed audit events and from time.

A message has a key that anyone derives again, and a record of its own. One that cannot be sent is
tried again by itself: it repeats no other message and delays none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from hitl_approval.contract import Audit, Channel, MessageKind
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.delivery import Address
from hitl_approval.domain.text import person_key
from hitl_approval.domain.values import is_edit

MessageState = Literal["open", "sent", "failed", "void", "parked"]
"""`open` until it is sent; `failed` when no try was taken, `parked` when no try had an answer,
`void` when there was nothing left to say."""

GIVEN_UP: frozenset[MessageState] = frozenset({"failed", "parked"})
"""No try is made of these any more, unless somebody has them repaired."""

KIND_OF: Mapping[str, MessageKind] = {
    "requested": "requested",
    "stage_opened": "requested",
    "escalated": "requested",
    "reassigned": "requested",
    "reminded": "reminder",
    "approved": "outcome",
    "rejected": "outcome",
    "timeout": "expired",
    "cancelled": "withdrawn",
}
"""What people are sent when an audit event has happened; of comments and of a vote that has changed
the request see `kind_of`; of other events nothing."""
ASKS_OTHERS = frozenset({"stage_opened", "escalated", "reassigned"})
"""Events by which others are asked than before, whom they name; who is not any more is sent that.
"""
EDITED: frozenset[Channel] = frozenset({"slack"})
"""Here the end of a request takes the place of the messages that asked: nobody is sent another, so
that it is done for who ended it too, and where nobody is sent how requests end."""
OF_ENDS: frozenset[MessageKind] = frozenset({"outcome", "expired", "withdrawn"})
"""These say how a request has ended; who asked is sent them too."""
OF_THREAD: frozenset[MessageKind] = frozenset({"question", "answer"})
"""These bring what was said about a pending request, whose text stands in the audit trail."""
ASKING: frozenset[MessageKind] = frozenset({"requested", "changed", "reminder"})
"""These ask for an answer, by a personal link, and are sent while there is time for one."""

LEASE = timedelta(minutes=2)
"""How long a try may take: longer than an invocation of the messenger function lasts."""
FIRST_RETRY = timedelta(seconds=15)
LONGEST_RETRY = timedelta(hours=1)
MAX_ATTEMPTS = 30
"""Tries of one message: about a day of them, hourly at the end."""
MAX_UNANSWERED = 5
"""Tries that end without an answer, of a process that died say; such a message may be the cause."""
ATTEMPTS_TO_NOTE = 3
"""Refused tries after which it is put on record and counted: about a minute."""

_HASHED = 32
"""Characters of a person's hash in a key: a name's own key could be too long for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one person by one channel, and what became of it.

    Attributes:
        approval_id: what it is about.
        sequence: of the audit event that it follows from.
        kind: what it says.
        recipient: whom it is for; empty for the reminders that are still to come, which become a
            message to each person when they are due.
        number: of a reminder among those of its request, from 1; 0 for one that somebody asked for.
        to_requester: whether it is for who asked, who is not asked for an answer.
        to_audience: whether it is for what is no person, a channel say, and so brings no link.
        channel: what carries it.
        address: where the channel reached the recipient when it was recorded.
        state: what became of it.
        due: when it is tried next; None when it is no longer open.
        attempts: tries begun.
        unanswered: tries that ended without an answer, one that is at work included.
        reason: why the last try did not send it.
        noted: whether the audit trail says that it could not be sent.
        sent_at: when it was sent.
        links: digests of the links that it was sent with, one for each try.
        receipt: what the channel gave back for it, by which it knows the message again.
    """

    approval_id: str
    sequence: int
    kind: MessageKind
    recipient: str
    number: int = 0
    to_requester: bool = False
    to_audience: bool = False
    channel: Channel = "sns"
    address: str = ""
    state: MessageState = "open"
    due: datetime | None = None
    attempts: int = 0
    unanswered: int = 0
    reason: str = ""
    noted: bool = False
    sent_at: datetime | None = None
    links: tuple[str, ...] = ()
    receipt: str = ""

    @property
    def key(self) -> str:
        """Its place among the messages of its approval, the same whoever derives it."""
        if not self.recipient:
            return reminders_key(self.sequence)
        return message_key(self.sequence, self.kind, self.number, self.channel, self.recipient)

    @property
    def asks(self) -> bool:
        """Whether it asks for a decision."""
        return self.kind in ASKING and bool(self.recipient)

    @property
    def brings_link(self) -> bool:
        """Whether it may bring its recipient a link of their own."""
        return (self.asks or self.kind in OF_THREAD) and not self.to_audience

    @property
    def link_only_answers(self) -> bool:
        """Whether its link lets its owner see the request and answer questions, and not decide."""
        return self.kind == "question"


def message_key(
    sequence: int, kind: MessageKind, number: int, channel: Channel, recipient: str
) -> str:
    """The key of a message to one person by one channel."""
    who = hashlib.sha256(person_key(recipient).encode()).hexdigest()[:_HASHED]
    return f"{sequence:06d}#{kind}#{number}#{channel}#{who}"


def reminders_key(sequence: int) -> str:
    """The key of the reminders of a request that are still to come."""
    return f"{sequence:06d}#reminders"


ChannelsOf = Callable[[str], Sequence[Address]]
"""Says at which addresses a person is reached, as `delivery.Directory.channels_of` does."""


def kind_of(event: Mapping[str, Any]) -> MessageKind | None:
    """What people are sent when this has happened; None: nothing."""
    details = event.get("details", {})
    if event["event"] == "voted" and is_edit(details):
        return "changed"
    if event["event"] != "commented":
        return KIND_OF.get(event["event"])
    if details.get("question") is True:
        return "question"
    return None if details.get("answers") is None else "answer"


def depends_on_earlier(event: Mapping[str, Any]) -> bool:
    """Whether the messages that follow from an event depend on those of earlier events."""
    asks_anew = kind_of(event) in {None, "requested", "changed"}
    return not asks_anew or event["event"] in ASKS_OTHERS


def messages_of(
    event: Mapping[str, Any],
    approval: Approval,
    *,
    channels_of: ChannelsOf,
    audiences: Mapping[str, Address] | None = None,
    earlier: Sequence[Message] = (),
    without: frozenset[MessageKind] = frozenset(),
) -> list[Message]:
    """The messages that follow from a committed audit event, each to one person by one channel.

    How a request has ended goes by the channels that asked, whatever they are by now.

    Args:
        event: what `AuditEvent.to_dict` wrote.
        approval: the record.
        channels_of: at which addresses each is reached.
        audiences: what is no person and gets a request and its end, by name. Default: none.
        earlier: the messages about this approval before, where the event depends on them.
        without: kinds that this deployment does not send.

    Raises:
        KeyError, TypeError, ValueError: it is none of our events.
    """
    kind = kind_of(event)
    if kind is None:
        return []
    if kind in OF_THREAD:
        return _of_thread(event, kind, channels_of, earlier)
    if kind not in OF_ENDS:
        if kind in without or approval.ends_by_rule:
            return []
        asking = _each(
            event, kind, {name: channels_of(name) for name in _asked(event, kind, approval)}
        )
        # Who is reminded or asked later are people; a channel or a webhook is asked once.
        all_again = event["event"] == "requested" or kind == "changed"
        others = {name: [each] for name, each in (audiences or {}).items() if all_again}
        asking += [replace(message, to_audience=True) for message in _each(event, kind, others)]
        return asking + _released(event, earlier, without)
    acted = None if event["identity"] == "system" else person_key(event["actor"])
    people = {person_key(name): name for name in approval.concerned}
    asked = {
        **dict.fromkeys(people.values(), False),
        **{message.recipient: True for message in earlier if message.to_audience},
    }
    found = []
    for name, to_audience in asked.items():
        silent = kind in without or (person_key(name) == acted and not to_audience)
        reached = [each for each in asked_by(earlier, name) if not silent or each.channel in EDITED]
        found += [
            replace(message, to_audience=to_audience)
            for message in _each(event, kind, {name: reached})
        ]
    asker = person_key(approval.requester)
    if kind not in without and asker != acted and asker not in people:
        mine = {approval.requester: channels_of(approval.requester)}
        found += [replace(message, to_requester=True) for message in _each(event, kind, mine)]
    return found


def _asked(event: Mapping[str, Any], kind: MessageKind, approval: Approval) -> list[str]:
    """The people of whom an event asks an answer."""
    if kind == "changed":  # who has made the change has answered
        return [n for n in approval.deciders if person_key(n) != person_key(event["actor"])]
    first = event["event"] == "requested"
    return [str(name) for name in (approval.first_deciders if first else event["details"]["to"])]


def _of_thread(
    event: Mapping[str, Any],
    kind: MessageKind,
    channels_of: ChannelsOf,
    earlier: Sequence[Message],
) -> list[Message]:
    """A question to the requester, an answer to who asked it; channels and webhooks read along.

    Who asks is answered by the channels that asked them, as far as there were any.
    """
    is_question = kind == "question"
    found = []
    for name in map(str, event["details"].get("to", ())):
        reached = [] if is_question else asked_by(earlier, name)
        found += _each(event, kind, {name: reached or channels_of(name)})
    found = [replace(message, to_requester=is_question) for message in found]
    audiences = {m.recipient: asked_by(earlier, m.recipient) for m in earlier if m.to_audience}
    return found + [replace(message, to_audience=True) for message in _each(event, kind, audiences)]


def _released(
    event: Mapping[str, Any], earlier: Sequence[Message], without: frozenset[MessageKind]
) -> list[Message]:
    """To those who were asked and are not any more: by the channels that asked them."""
    if event["event"] not in ASKS_OTHERS or "released" in without:
        return []
    names = [str(name) for name in event["details"]["released"]]
    return _each(event, "released", {name: asked_by(earlier, name) for name in names})


def _each(
    event: Mapping[str, Any], kind: MessageKind, reached: Mapping[str, Iterable[Address]]
) -> list[Message]:
    """A message of this kind for each name and address."""
    return [
        Message(
            approval_id=str(event[Audit.PARTITION_KEY]),
            sequence=int(event[Audit.SORT_KEY]),
            kind=kind,
            recipient=name,
            channel=each.channel,
            address=each.address,
        )
        for name, addresses in reached.items()
        for each in addresses
    ]


def asked_by(earlier: Iterable[Message], recipient: str) -> list[Address]:
    """The addresses at which a person was asked, one of each channel."""
    found = {m.channel: m.address for m in earlier if m.asks and m.recipient == recipient}
    return [Address(channel, address) for channel, address in found.items()]


def to_same(earlier: Iterable[Message], message: Message) -> list[Message]:
    """Those of earlier messages that went the same way: to the same person by the same channel."""
    return [
        m
        for m in earlier
        if (m.recipient, m.channel) == (message.recipient, message.channel) and m.key != message.key
    ]


def receipts_of(messages: Iterable[Message]) -> tuple[str, ...]:
    """What channels gave back for messages that were sent, oldest first."""
    sent = [(m.sent_at, m.receipt) for m in messages if m.sent_at and m.receipt]
    return tuple(receipt for _, receipt in sorted(sent))


def reminders_of(event: Mapping[str, Any], approval: Approval) -> Message | None:
    """The reminders that follow from a request, as one record until they are due."""
    if event["event"] not in {"requested", "stage_opened"} or not approval.deciders:
        return None
    if approval.ends_by_rule:
        return None
    if int(event[Audit.SORT_KEY]) != approval.turn.since:
        return None  # that stage is over
    return next_reminder(
        Message(
            approval_id=approval.approval_id,
            sequence=int(event[Audit.SORT_KEY]),
            kind="reminder",
            recipient="",
        ),
        approval,
        after=approval.asked_at,
    )


def next_reminder(reminders: Message, approval: Approval, *, after: datetime) -> Message | None:
    """The same reminders, due at the first that comes after a time; None when there is none."""
    for number, delay in enumerate(approval.reminders, start=1):
        due = approval.asked_at + delay
        if number > reminders.number and after < due < approval.expires_at:
            return replace(reminders, due=due, number=number)
    return None


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after so many tries: 15 s, doubled each time, at most an hour."""
    doublings = min(attempts - 1, 10)  # beyond which an hour is always less
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)
