"""The messages to people, and the events to other systems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.bus_event import BusEvent
from hitl_approval.domain.message import Message
from hitl_approval.domain.notification import Notification


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that is to be tried now, as the index has it.

    Attributes:
        due: since when; whoever moves that first has the message to send.
    """

    approval_id: str
    key: str
    due: datetime


class MessageStore(Protocol):
    """The messages to people, and what became of them."""

    def insert(self, message: Message, approval: Approval) -> bool:
        """Write the record of a message, once; whether this call did."""

    def claim(self, message: DueMessage, *, until: datetime) -> Message | None:
        """Begin a try: until then nobody else begins one.

        Returns:
            The message with the try counted; None when somebody else was quicker.
        """

    def add_link(self, message: Message, digest: str) -> None:
        """Note that this try brings a link, before it is sent."""

    def mark_sent(self, message: Message, at: datetime, receipt: str = "") -> None:
        """Note that a try has sent it, and its receipt, whoever has begun another since."""

    def mark_returned(self, message: Message, reason: str, *, arrived: bool) -> None:
        """Note that a message that was sent came back, unless it was sent again since.

        Args:
            message: as it was found.
            reason: why.
            arrived: whether its reader may have it all the same; otherwise it has failed.
        """

    def mark_unsent(self, message: Message) -> None:
        """Write what became of a try that has not sent it, unless another has begun since."""

    def reopen(self, message: Message, at: datetime) -> None:
        """Let a message that failed or was parked be tried anew from then on. Idempotent."""

    def due(self, *, before: datetime, limit: int) -> Iterator[Sequence[DueMessage]]:
        """Messages that have been due since before that time, in pages, each read when taken."""

    def about(self, approval_id: str) -> Sequence[Message]:
        """The messages of an approval, by key, read consistently."""


class Notifier(Protocol):
    """Carries messages to people: one channel."""

    def publish(self, notification: Notification) -> str:
        """Send to everyone, or to its one recipient; repeats carry the same approval id.

        Returns:
            What this channel needs to know of it later, at most 1 KB: a receipt, or nothing. Later
            messages about the approval to the same person have it in `receipts`.

        Raises:
            Unavailable: not sent now; may be tried again.
            Unanswered: the same, and it may have been sent.
            Undeliverable: this message never will be.
        """


class EventPublisher(Protocol):
    """Tells other systems."""

    def publish(self, events: Sequence[BusEvent]) -> int:
        """Send in order, at least once.

        Returns:
            How many of the first were sent before one was not.
        """
