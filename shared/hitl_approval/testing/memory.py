"""For tests, yours and ours: the ports in memory, and a clock that stands still.

from hitl_approval.testing import in_memory

world = in_memory()
world.requests.submit(...)
world.decisions.decide(...)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hitl_approval.contract import Channel, Table
from hitl_approval.domain.approval import Approval, Status, Transition
from hitl_approval.domain.audit import on_record
from hitl_approval.domain.bus_event import BusEvent
from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.errors import Unavailable, VersionConflict
from hitl_approval.domain.escalation import needs_attention_at
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.text import spelling
from hitl_approval.domain.turn import FIRST
from hitl_approval.domain.view import entry, summary
from hitl_approval.ports.outside import Completed, Execution, Unit
from hitl_approval.ports.records import Attention, Page, Postponed, SweepList
from hitl_approval.testing.delegations import InMemoryDelegations
from hitl_approval.testing.messages import CountingSecrets, InMemoryMessages
from hitl_approval.usecases.decide import DecisionService
from hitl_approval.usecases.deliver import DeliveryService
from hitl_approval.usecases.publish import PublishService
from hitl_approval.usecases.request import RequestService
from hitl_approval.usecases.sweep import SweepService


@dataclass(slots=True)
class FixedClock:
    """Time that moves only by `advance`. `pauses` counts the waits of contended writes."""

    moment: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    pauses: int = 0

    def now(self) -> datetime:
        """See `ports.Clock.now`."""
        return self.moment

    def pause(self, attempt: int) -> None:  # noqa: ARG002  a port's signature
        """See `ports.Clock.pause`."""
        self.pauses += 1

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        self.moment += delta


@dataclass(slots=True)
class InMemoryStore:
    """The store in two dictionaries; passes the same contract suite as the DynamoDB store."""

    approvals: dict[str, Approval] = field(default_factory=dict)
    audit: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    waiting: dict[str, Postponed] = field(default_factory=dict)
    """What is postponed, by id."""
    delegations: InMemoryDelegations = field(default_factory=InMemoryDelegations)

    def create(self, transition: Transition) -> Approval:
        """See `ports.Store.create`."""
        approval_id = transition.after.approval_id
        if approval_id not in self.approvals:
            self._write(transition)
        return self.approvals[approval_id]

    def create_instead(self, transition: Transition, ended: Transition) -> Approval:
        """See `ports.Store.create_instead`."""
        if transition.after.approval_id not in self.approvals:
            self.commit(ended)
        return self.create(transition)

    def commit(self, transition: Transition) -> None:
        """See `ports.Store.commit`."""
        current = self.approvals.get(transition.after.approval_id)
        read = transition.after.version - 1
        if current is None or not current.pending or current.version != read:
            raise VersionConflict
        if transition.delegation and not self.delegations.stands(transition.delegation):
            raise VersionConflict
        if not transition.after.pending or transition.after.turn != FIRST:
            self.waiting.pop(transition.after.approval_id, None)
        self._write(transition)

    def register_callback(self, approval_id: str, callback_id: str) -> Approval | None:
        """See `ports.Store.register_callback`."""
        current = self.approvals.get(approval_id)
        if current is not None and current.pending:
            current = replace(current, callback_id=callback_id, version=current.version + 1)
            self.approvals[approval_id] = current
        return current

    def get(self, approval_id: str) -> Approval | None:
        """See `ports.Store.get`."""
        return self.approvals.get(approval_id)

    def mark_resumed(self, approval_id: str) -> None:
        """See `ports.Store.mark_resumed`."""
        if approval_id in self.approvals:
            self.approvals[approval_id] = replace(self.approvals[approval_id], resumed=True)
        self.waiting.pop(approval_id, None)

    def overdue(
        self, attention: Attention, *, before: datetime, limit: int
    ) -> Iterator[Sequence[str]]:
        """See `ports.Store.overdue`."""
        found = []
        for approval in self.approvals.values():
            since = needs_attention_at(approval) if approval.pending else approval.decided_at
            wanted = "pending" if approval.pending else "decided"
            if approval.resumed or approval.approval_id in self.waiting:
                continue
            if wanted == attention and since and since < on_record(before):
                found.append((since, approval.approval_id))
        ids = [approval_id for _, approval_id in sorted(found)]
        return (ids[first : first + limit] for first in range(0, len(ids) or 1, limit))

    def postponed(self) -> Iterator[Postponed]:
        """See `ports.Store.postponed`."""
        latest = datetime.max.replace(tzinfo=UTC)
        return iter(sorted(self.waiting.values(), key=lambda one: one.until or latest))

    def postpone(
        self,
        approval_id: str,
        *,
        found_on: SweepList,
        tries: int,
        until: datetime | None,
        reason: str | None,
    ) -> None:
        """See `ports.Store.postpone`."""
        current = self.approvals.get(approval_id)
        if current is None or current.resumed:
            return
        stands_on = "pending" if current.pending else "decided"
        if found_on == ("postponed" if approval_id in self.waiting else stands_on):
            one = Postponed(approval_id, current.pending, tries, until, reason)
            self.waiting[approval_id] = one

    def take_up(self, approval_id: str, *, at: datetime) -> bool:
        """See `ports.Store.take_up`."""
        if approval_id not in self.waiting:
            return False
        self.waiting[approval_id] = replace(self.waiting[approval_id], tries=0, until=at)
        return True

    def count_pending(self, *, most: int) -> int:
        """See `ports.Store.count_pending`."""
        approvals = self.approvals.values()
        return min(most, sum(a.pending and a.approval_id not in self.waiting for a in approvals))

    def list_by_status(
        self, status: Status, *, limit: int, cursor: str | None, since: datetime | None = None
    ) -> Page:
        """See `ports.Store.list_by_status`."""
        rows = sorted(
            (
                summary(a)
                for a in self.approvals.values()
                if a.status == status and (since is None or a.created_at >= on_record(since))
            ),
            key=_position,
            reverse=True,
        )
        if cursor is not None:
            after = decode_cursor(cursor)
            rows = [row for row in rows if _position(row) < after]
        shown = {Table.PARTITION_KEY, Table.STATUS, Table.CREATED_AT, *Table.LIST_ATTRIBUTES}
        items = [
            {name: value for name, value in row.items() if name in shown and value is not None}
            for row in rows[:limit]
        ]
        more = encode_cursor(*_position(rows[limit - 1])) if len(rows) > limit else None
        return Page(items, more)

    def history(self, approval_id: str) -> Sequence[Mapping[str, Any]]:
        """See `ports.Store.history`."""
        return list(self.audit.get(approval_id, []))

    def _write(self, transition: Transition) -> None:
        approval, event = transition.after, transition.entry
        trail = self.audit.get(approval.approval_id, [])
        if any(earlier["sequence"] == event["sequence"] for earlier in trail):
            raise VersionConflict
        self.approvals[approval.approval_id] = approval
        self.audit[approval.approval_id] = [*trail, event]


@dataclass(slots=True)
class InMemoryInbox:
    """The inbox in a dictionary; fails the next `failures` times."""

    entries: dict[tuple[str, str], Approval] = field(default_factory=dict)
    failures: int = 0

    def add(self, approval: Approval, names: Sequence[str]) -> None:
        """See `ports.Inbox.add`."""
        self._fail()
        for name in names:
            self.entries[spelling(name), approval.approval_id] = approval

    def remove(self, approval: Approval, names: Sequence[str]) -> None:
        """See `ports.Inbox.remove`."""
        self._fail()
        for name in names:
            self.entries.pop((spelling(name), approval.approval_id), None)

    def awaiting(self, name: str, *, limit: int, cursor: str | None) -> Page:
        """See `ports.Inbox.awaiting`."""
        after = decode_cursor(cursor) if cursor is not None else ("", "")
        found = sorted(
            (
                entry(approval)
                for (who, _), approval in self.entries.items()
                if who == spelling(name) and _due(entry(approval)) > after
            ),
            key=_due,
        )
        more = encode_cursor(*_due(found[limit - 1])) if len(found) > limit else None
        return Page(found[:limit], more)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            msg = "the inbox did not take the items"
            raise Unavailable(msg)


@dataclass(slots=True)
class RecordingNotifier:
    """Keeps what was sent; fails the next `failures` times, and for `unreachable` people always."""

    sent: list[Notification] = field(default_factory=list)
    failures: int = 0
    unreachable: set[str] = field(default_factory=set)

    def publish(self, notification: Notification) -> str:
        """See `ports.Notifier.publish`."""
        refused = notification.recipient in self.unreachable
        if refused or self.failures:
            self.failures -= not refused
            msg = "the topic did not take the message"
            raise Unavailable(msg)
        self.sent.append(notification)
        return f"receipt {len(self.sent)}"


@dataclass(slots=True)
class RecordingCallbackClient:
    """Keeps which callbacks were completed, and gives the answer it is set to."""

    completed: list[str] = field(default_factory=list)
    answer: Completed = "resumed"

    def complete(self, callback_id: str) -> Completed:
        """See `ports.CallbackClient.complete`."""
        self.completed.append(callback_id)
        return self.answer


@dataclass(slots=True)
class RecordingPublisher:
    """Keeps what was published; takes no more than `room` at a time."""

    published: list[BusEvent] = field(default_factory=list)
    room: int = 1_000

    def publish(self, events: Sequence[BusEvent]) -> int:
        """See `ports.EventPublisher.publish`."""
        taken = events[: self.room]
        self.published += taken
        return len(taken)


@dataclass(slots=True)
class RecordingMeter:
    """Keeps what was counted."""

    counted: list[str] = field(default_factory=list)
    measured: list[tuple[str, float, Unit]] = field(default_factory=list)

    def count(self, metric: str, value: int = 1, *, channel: Channel | None = None) -> None:
        """See `ports.Meter.count`."""
        self.counted += [metric if channel is None else f"{metric} {channel}"] * value

    def measure(self, metric: str, value: float, unit: Unit) -> None:
        """See `ports.Meter.measure`."""
        self.measured.append((metric, value, unit))


@dataclass(slots=True)
class FakeExecutions:
    """Workflows of which the named ones have ended."""

    ended: set[str] = field(default_factory=set)

    def check_status(self, execution_arn: str) -> Execution:
        """See `ports.Executions.check_status`."""
        return "ended" if execution_arn in self.ended else "running"


@dataclass(frozen=True, slots=True)
class World:
    """A whole deployment in memory: all services over one store and one clock."""

    store: InMemoryStore
    clock: FixedClock
    notifier: RecordingNotifier
    callbacks: RecordingCallbackClient
    meter: RecordingMeter
    requests: RequestService
    executions: FakeExecutions
    decisions: DecisionService
    sweeps: SweepService
    publisher: RecordingPublisher
    inbox: InMemoryInbox
    publishing: PublishService
    messages: InMemoryMessages
    delivery: DeliveryService


PAGE_URL = "https://approvals.example.com"
"""Where the personal links of a deployment in memory lead."""


def in_memory() -> World:
    """A deployment in memory."""
    store, clock, meter = InMemoryStore(), FixedClock(), RecordingMeter()
    notifier, callbacks = RecordingNotifier(), RecordingCallbackClient()
    executions = FakeExecutions()
    publisher, inbox, messages = RecordingPublisher(), InMemoryInbox(), InMemoryMessages()
    return World(
        store=store,
        clock=clock,
        notifier=notifier,
        callbacks=callbacks,
        meter=meter,
        requests=RequestService(
            store=store, clock=clock, meter=meter, notifier=notifier, callbacks=callbacks
        ),
        executions=executions,
        decisions=DecisionService(
            store=store,
            clock=clock,
            meter=meter,
            callbacks=callbacks,
            executions=executions,
            inbox=inbox,
            messages=messages,
            delegations=store.delegations,
        ),
        sweeps=SweepService(
            store=store, clock=clock, meter=meter, callbacks=callbacks, executions=executions
        ),
        publisher=publisher,
        inbox=inbox,
        publishing=PublishService(
            store=store,
            clock=clock,
            meter=meter,
            publisher=publisher,
            deployment="in-memory",
            inbox=inbox,
        ),
        messages=messages,
        delivery=DeliveryService(
            store=store,
            clock=clock,
            meter=meter,
            messages=messages,
            notifiers={"sns": notifier},
            page_url=PAGE_URL,
            secrets=CountingSecrets(),
        ),
    )


def _due(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["expires_at"], row["approval_id"]


def _position(row: Mapping[str, Any]) -> tuple[str, str]:
    return row[Table.CREATED_AT], row[Table.PARTITION_KEY]
