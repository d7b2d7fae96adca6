"""Every message that the local cloud has "sent" to people, to be read instead of received."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Message = dict[str, Any]


class Mail:
    """Messages in the order in which they were sent; thread-safe.

    A message has `number` (1, 2, ...), `sent_at` (ISO 8601, UTC), `channel` (`email`, `sqs`, `sms`
    or `ses`), `to` (addresses; of SQS the queue's name), `subject`, `body`, and of a mail by SES
    `html` where it has such a part.
    """

    KEPT = 2_000
    """Of these the newest are kept."""

    def __init__(self) -> None:
        """No messages yet."""
        self._messages: list[Message] = []
        self._sent = 0
        self._seen_of_ses: set[str] = set()
        self._lock = threading.RLock()

    def add(
        self,
        channel: str,
        to: list[str],
        subject: str,
        body: str,
        at: datetime,
        *,
        html: str | None = None,
    ) -> None:
        """Note a message."""
        with self._lock:
            self._sent += 1
            self._messages.append(
                {
                    "number": self._sent,
                    "sent_at": at.isoformat(timespec="milliseconds"),
                    "channel": channel,
                    "to": to,
                    "subject": subject,
                    "body": body,
                    **({} if html is None else {"html": html}),
                }
            )
            del self._messages[: -self.KEPT]

    def after(self, number: int) -> list[Message]:
        """What was sent after this one; 0 for all."""
        with self._lock:
            self._take_from_ses()
            return [message for message in self._messages if message["number"] > number]

    def get_state(self) -> dict[str, Any]:
        """What is written where state is kept."""
        with self._lock:
            self._take_from_ses()
            seen = sorted(self._seen_of_ses)
            return {"messages": list(self._messages), "sent": self._sent, "ses": seen}

    def restore(self, state: Mapping[str, Any] | None) -> None:
        """Go on from what was written."""
        if state:
            with self._lock:
                self._messages = list(state["messages"])
                self._sent = state["sent"]
                self._seen_of_ses = set(state["ses"])

    def _take_from_ses(self) -> None:
        """SES keeps what it sends."""
        ses = sys.modules.get("ministack.services.ses")
        if ses is None:
            return
        stored = [
            record
            for (*_, key), records in list(ses._sent_emails.to_dict().items())
            if key == "entries"
            for record in records
        ]
        for record in sorted(stored, key=lambda each: float(each["Timestamp"])):
            if record["MessageId"] not in self._seen_of_ses:
                self._seen_of_ses.add(record["MessageId"])
                self.add(
                    "ses",
                    [*record.get("To", []), *record.get("CC", []), *record.get("BCC", [])],
                    record.get("RenderedSubject") or record.get("Subject") or "",
                    _body(record),
                    datetime.fromtimestamp(record["Timestamp"], UTC),
                    html=record.get("RenderedBodyHtml") or record.get("BodyHtml") or None,
                )


def _body(record: Mapping[str, Any]) -> str:
    for name in ("RenderedBodyText", "BodyText", "RenderedBodyHtml", "BodyHtml"):
        if record.get(name):
            return str(record[name])
    return ""
