"""The messenger: every person is sent each message about a request once, whatever breaks.

Once by each channel that reaches them: one channel's failure repeats and delays no other's message.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.contract import Audit, Channel, MessageKind, Metrics
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.errors import (
    ApprovalError,
    Unanswered,
    Unavailable,
    Undeliverable,
    UnreadableRecord,
)
from hitl_approval.domain.link import digest_of, entry_of, make_token, personal_link
from hitl_approval.domain.message import (
    ATTEMPTS_TO_NOTE,
    LEASE,
    MAX_ATTEMPTS,
    MAX_UNANSWERED,
    OF_THREAD,
    Message,
    MessageState,
    asked_by,
    depends_on_earlier,
    messages_of,
    next_reminder,
    receipts_of,
    reminders_of,
    retry_delay,
    to_same,
)
from hitl_approval.domain.notification import Notification, note_notification_failed
from hitl_approval.domain.saying import brings_link, nothing_to_say, what_is_said
from hitl_approval.domain.thread import Comment, thread_of
from hitl_approval.ports.messages import DueMessage, MessageStore, Notifier
from hitl_approval.ports.outside import Secrets
from hitl_approval.usecases.records import Records

logger = logging.getLogger(__name__)

DUE_PAGE = 25
"""Due messages that are read at once; each is claimed by itself, right before it is sent."""
SEND_TIME = timedelta(seconds=10)
"""What is kept of an invocation's time for the message at work: a send that hangs, and its note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryService(Records):
    """Sends each person what follows from committed events and from time.

    Attributes:
        messages: the record of each message.
        notifiers: carry them, each by one channel.
        page_url: where personal links lead, without a slash at its end.
        secrets: what a link's secret is drawn from.
        inbox_url: where people sign in by a browser, without a slash. Default: nobody can.
        stack: what `hitl --stack` takes for this deployment. Default: it finds it without.
        without: kinds that this deployment does not send.
        directory: by which channels each person is reached. Default: everybody by SNS.
    """

    messages: MessageStore
    notifiers: Mapping[Channel, Notifier]
    page_url: str
    secrets: Secrets
    without: frozenset[MessageKind] = frozenset()
    directory: Directory = field(default_factory=Directory)
    inbox_url: str | None = None
    stack: str | None = None

    def take(self, events: Sequence[Mapping[str, Any]], within: timedelta | None = None) -> int:
        """Record the messages that follow from committed audit events, and send them.

        What is recorded is sent, now or later: a message that cannot be sent keeps no event back.

        Args:
            events: in order; what is none of ours is counted and passed over.
            within: the time there is. Default: as long as it takes.

        Returns:
            How many of the first were recorded: the others are to be brought again.
        """
        until = self._until(within)
        for position, event in enumerate(events):
            try:
                self._take(event, until)
            except Unavailable as error:
                logger.warning("messages not recorded now: %s", error)
                return position
            except Exception as error:  # noqa: BLE001  its own, whatever it is: the next one waits
                # By its kind: the text of an error may hold what stands in the event.
                logger.warning("passed over: %s", type(error).__name__)
                self.meter.count(Metrics.PASSED_OVER)
        return len(events)

    def deliver_due(self, within: timedelta | None = None) -> dict[str, int]:
        """Try what is due: messages that could not be sent before, and reminders.

        Args:
            within: the time there is. Default: as long as it takes.

        Returns:
            How many became what, by state.
        """
        until = self._until(within)
        became: Counter[str] = Counter()
        for page in self.messages.due(before=self.clock.now(), limit=DUE_PAGE):
            for due in page:
                if not self._has_time(until):
                    return dict(became)
                try:
                    if state := self._try(due, until):
                        became[state] += 1
                except Unavailable as error:
                    logger.warning("not tried now: %s approval_id=%s", error, due.approval_id)
                except Exception as error:  # noqa: BLE001  its own: the next one waits
                    logger.warning(
                        "passed over: %s approval_id=%s", type(error).__name__, due.approval_id
                    )
                    self.meter.count(Metrics.PASSED_OVER)
        return dict(became)

    # From events

    def _take(self, event: Mapping[str, Any], until: datetime | None) -> None:
        approval = self.store.get(str(event[Audit.PARTITION_KEY]))
        if approval is None:
            return
        reminders = None if "reminder" in self.without else reminders_of(event, approval)
        if reminders is not None:
            self.messages.insert(reminders, approval)
        earlier = self.messages.about(approval.approval_id) if depends_on_earlier(event) else ()
        messages = messages_of(
            event,
            approval,
            channels_of=self.directory.channels_of,
            audiences=self.directory.audiences,
            earlier=earlier,
            without=self.without,
        )
        self._begin(messages, approval, earlier, until, self._thread(messages))

    def _begin(
        self,
        messages: Sequence[Message],
        approval: Approval,
        earlier: Sequence[Message],
        until: datetime | None,
        thread: Sequence[Comment] = (),
    ) -> None:
        """Record each message and send it before the next is recorded.

        One that the invocation has no time for is left to the next clock.
        """
        for message in messages:
            now = self.clock.now()
            if not self._has_time(until):
                self.messages.insert(replace(message, due=now), approval)
                continue
            # Recorded as a try that has begun: nobody else begins one before its lease is over.
            claimed = replace(message, due=now + LEASE, attempts=1, unanswered=1)
            token = self._draw_token(message, approval)
            if token is not None:
                claimed = replace(claimed, links=(digest_of(token),))
            if self.messages.insert(claimed, approval):
                try:
                    self._send(claimed, approval, earlier, token, thread)
                except Unavailable as error:  # of its record: the try ends without an answer
                    logger.warning("not noted: %s approval_id=%s", error, approval.approval_id)
                except Exception as error:  # noqa: BLE001  its own: the next one is recorded too
                    logger.warning(
                        "passed over: %s approval_id=%s", type(error).__name__, approval.approval_id
                    )
                    self.meter.count(Metrics.PASSED_OVER)

    # From time

    def _try(self, due: DueMessage, until: datetime | None) -> MessageState | None:
        message = self.messages.claim(due, until=self.clock.now() + LEASE)
        if message is None:
            return None
        if message.unanswered > MAX_UNANSWERED:
            return self._end(message, "parked", "every try ended without an answer")
        if message.attempts > MAX_ATTEMPTS:
            return self._end(message, "failed", message.reason)
        try:
            approval = self.store.get(message.approval_id)
        except UnreadableRecord:
            return self._put_off(message, "the record cannot be read")
        if approval is None:
            return self._end(message, "void", "the record has expired")
        if not message.recipient:
            return self._remind(message, approval, until)
        token = self._draw_token(message, approval)
        if token is not None:
            self.messages.add_link(message, digest_of(token))
        first = message.kind == "requested"
        earlier = () if first else self.messages.about(message.approval_id)
        return self._send(message, approval, earlier, token, self._thread([message]))

    def _remind(
        self, reminders: Message, approval: Approval, until: datetime | None
    ) -> MessageState:
        """Send a reminder to each who was asked and has not answered, and wait for the next.

        By the channels that asked, as far as these are not about to.
        """
        now = self.clock.now()
        if not approval.pending or now >= approval.expires_at:
            return self._end(reminders, "void", "the request has ended")
        if reminders.sequence != approval.turn.since:
            return self._end(reminders, "void", "the next stage has begun")
        earlier = self.messages.about(approval.approval_id)
        asked = [m for m in earlier if m.kind == "requested" and m.state != "open"]
        self._begin(
            [
                replace(
                    reminders,
                    recipient=name,
                    channel=each.channel,
                    address=each.address,
                    links=(),
                )
                for name in approval.deciders
                if approval.answer_of(name) is None
                for each in asked_by(asked, name)
            ],
            approval,
            earlier,
            until,
        )
        following = next_reminder(reminders, approval, after=now)
        if following is None:
            return self._end(reminders, "void", "the last has been sent")
        self.messages.mark_unsent(replace(following, unanswered=0))
        return "open"

    # One try

    def _send(
        self,
        message: Message,
        approval: Approval,
        earlier: Sequence[Message],
        token: str | None,
        thread: Sequence[Comment],
    ) -> MessageState:
        """Send one message whose try has begun, and note what became of it."""
        unsaid = nothing_to_say(message, approval, thread, now=self.clock.now())
        if unsaid is not None:
            return self._end(message, "void", unsaid)
        same = to_same(earlier, message)
        if not (message.asks or message.to_requester or message.kind in OF_THREAD):
            asked = [m for m in same if m.asks]
            if not any(m.state == "sent" for m in asked):
                open_until = [m.due or self.clock.now() for m in asked if m.state == "open"]
                if open_until:
                    due = max(min(open_until), self.clock.now()) + timedelta(seconds=1)
                    self.messages.mark_unsent(replace(message, due=due, unanswered=0))
                    return "open"
                if not any(m.unanswered for m in asked):
                    return self._end(message, "void", "nothing was sent before")
        if (notifier := self.notifiers.get(message.channel)) is None:
            return self._end(message, "failed", f"nothing is sent by {message.channel} any more")
        try:
            receipt = notifier.publish(self._notification(message, approval, same, token, thread))
        except Unanswered as error:
            return self._put_off(message, _reason(error), answered=False)
        except Undeliverable as error:
            return self._end(message, "failed", str(error))
        except Exception as error:
            logger.warning(
                "not sent now: %s approval_id=%s",
                _reason(error),
                approval.approval_id,
                exc_info=not isinstance(error, ApprovalError),
            )
            return self._put_off(message, _reason(error))
        self.messages.mark_sent(message, self.clock.now(), receipt)
        said = (message.kind, message.channel, message.approval_id)
        logger.info("sent %s by %s approval_id=%s", *said)
        return "sent"

    def _thread(self, messages: Sequence[Message]) -> Sequence[Comment]:
        """What was said about the request, for messages about it that bring some of that."""
        about = next((m.approval_id for m in messages if m.kind in OF_THREAD), None)
        return () if about is None else thread_of(self.store.history(about))

    def _notification(
        self,
        message: Message,
        approval: Approval,
        same: Sequence[Message],
        token: str | None,
        thread: Sequence[Comment],
    ) -> Notification:
        what = what_is_said(
            message,
            approval,
            thread,
            link=None if token is None else personal_link(self.page_url, token),
            entry=entry_of(self.inbox_url, approval.approval_id),
            stack=self.stack,
        )
        # Where it is reached by now: an address may have been corrected since.
        address = self.directory.address_of(message.recipient, message.channel)
        return replace(
            what,
            key=message.key,
            address=address or message.address,
            receipts=receipts_of(same),
            at=self.clock.now(),
        )

    def _put_off(self, message: Message, reason: str, *, answered: bool = True) -> MessageState:
        """Try a message again later, ever less often."""
        if message.attempts >= MAX_ATTEMPTS and answered:
            return self._end(message, "failed", reason)
        noted = message.noted or (
            message.attempts >= ATTEMPTS_TO_NOTE and self._note(message, reason)
        )
        self.messages.mark_unsent(
            replace(
                message,
                due=self.clock.now() + retry_delay(message.attempts),
                reason=reason,
                noted=noted,
                unanswered=message.unanswered - answered,
            )
        )
        return "open"

    def _end(self, message: Message, state: MessageState, reason: str) -> MessageState:
        """Close a message that is not sent (any more)."""
        if state in {"failed", "parked"}:
            logger.error("%s: a message approval_id=%s", state, message.approval_id)
            if not (message.noted or self._note(message, reason)):
                state = "open"  # until it is on record; no try is made any more
        due = self.clock.now() + retry_delay(message.attempts) if state == "open" else None
        # A try that has ended without an answer stays counted: what it sent may have arrived.
        self.messages.mark_unsent(
            replace(message, state=state, due=due, reason=reason, unanswered=message.unanswered - 1)
        )
        return state

    def _note(self, message: Message, reason: str) -> bool:
        """Put on record, and on the alarm's metric, that somebody could not be notified.

        Returns:
            False when the record cannot be written now; one that never can be is only counted.
        """
        self.meter.count(Metrics.NOTIFICATION_FAILED)

        def failed(approval: Approval) -> Transition | None:
            return note_notification_failed(
                approval, reason, now=self.clock.now(), recipient=message.recipient
            )

        try:
            self._change(message.approval_id, failed)
        except Unavailable:
            return False
        except Exception as error:  # noqa: BLE001  of the row: the message has its end all the same
            logger.warning(
                "not on record: %s approval_id=%s", type(error).__name__, message.approval_id
            )
        return True

    def _draw_token(self, message: Message, approval: Approval) -> str | None:
        """A new link's token, for a message that brings one."""
        if not brings_link(message, approval):
            return None
        return make_token(message.approval_id, self.secrets.draw())

    def _until(self, within: timedelta | None) -> datetime | None:
        return None if within is None else self.clock.now() + within - SEND_TIME

    def _has_time(self, until: datetime | None) -> bool:
        return until is None or self.clock.now() < until


def _reason(error: Exception) -> str:
    """What may be said of an error: our own code or text, of others no more than the name."""
    if isinstance(error, Unavailable):
        return str(error.details.get("reason") or error)
    return str(error) if isinstance(error, ApprovalError) else type(error).__name__
