"""For tests: the message store in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.link import SECRET_BYTES
from hitl_approval.domain.message import Message, MessageState
from hitl_approval.ports.messages import DueMessage


@dataclass(slots=True)
class InMemoryMessages:
    """The message store in a dictionary; passes the same contract suite as the one on DynamoDB."""

    messages: dict[tuple[str, str], Message] = field(default_factory=dict)

    def insert(self, message: Message, approval: Approval) -> bool:  # noqa: ARG002  a port's signature
        """See `ports.MessageStore.insert`."""
        key = (message.approval_id, message.key)
        if key in self.messages:
            return False
        self.messages[key] = message
        return True

    def claim(self, message: DueMessage, *, until: datetime) -> Message | None:
        """See `ports.MessageStore.claim`."""
        current = self.messages.get((message.approval_id, message.key))
        if current is None or current.due != message.due:
            return None
        return self._write(
            replace(
                current,
                due=until,
                attempts=current.attempts + 1,
                unanswered=current.unanswered + 1,
            )
        )

    def add_link(self, message: Message, digest: str) -> None:
        """See `ports.MessageStore.add_link`."""
        current = self._current(message)
        self._write(replace(current, links=(*current.links, digest)))

    def mark_sent(self, message: Message, at: datetime, receipt: str = "") -> None:
        """See `ports.MessageStore.mark_sent`."""
        sent = replace(self._current(message), state="sent", sent_at=at, due=None, receipt=receipt)
        self._write(sent)

    def mark_returned(self, message: Message, reason: str, *, arrived: bool) -> None:
        """See `ports.MessageStore.mark_returned`."""
        current = self._current(message)
        if (current.state, current.receipt) == ("sent", message.receipt):
            state: MessageState = "sent" if arrived else "failed"
            self._write(replace(current, state=state, reason=reason, noted=True))

    def mark_unsent(self, message: Message) -> None:
        """See `ports.MessageStore.mark_unsent`."""
        current = self._current(message)
        if current.attempts == message.attempts and current.due is not None:
            self._write(replace(message, links=current.links))

    def reopen(self, message: Message, at: datetime) -> None:
        """See `ports.MessageStore.reopen`."""
        current = self._current(message)
        if current.state == message.state:
            self._write(
                replace(current, state="open", due=at, attempts=0, unanswered=0, noted=False)
            )

    def due(self, *, before: datetime, limit: int) -> Iterator[Sequence[DueMessage]]:
        """See `ports.MessageStore.due`."""
        found = sorted(
            (message.due, message.approval_id, message.key)
            for message in self.messages.values()
            if message.due is not None and message.due <= before
        )
        due = [DueMessage(approval_id, key, since) for since, approval_id, key in found]
        return (due[first : first + limit] for first in range(0, len(due), limit))

    def next_due(self) -> datetime | None:
        """When the first is tried that is still open; None when none is."""
        return min((m.due for m in self.messages.values() if m.due is not None), default=None)

    def about(self, approval_id: str) -> Sequence[Message]:
        """See `ports.MessageStore.about`."""
        return [self.messages[key] for key in sorted(self.messages) if key[0] == approval_id]

    def _current(self, message: Message) -> Message:
        return self.messages[message.approval_id, message.key]

    def _write(self, message: Message) -> Message:
        self.messages[message.approval_id, message.key] = message
        return message


@dataclass(slots=True)
class CountingSecrets:
    """Draws secrets that anybody can guess: for tests only."""

    drawn: int = 0

    def draw(self) -> bytes:
        """See `ports.Secrets.draw`."""
        self.drawn += 1
        return self.drawn.to_bytes(SECRET_BYTES)
