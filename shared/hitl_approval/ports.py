"""What the use cases need from the world outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from hitl_approval.domain.approval import Approval, Status, Transition
from hitl_approval.domain.archive import ArchivedEvent, Position
from hitl_approval.domain.bus_event import BusEvent
from hitl_approval.domain.business_hours import Counted
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.message import Message
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.outcome import Snapshot
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_key import RequestKey

Completed = Literal["resumed", "already_running", "delayed"]
"""What completing a callback did: the workflow resumes; the callback was closed before; Lambda
could not be reached, and the workflow reads the record by itself a little later."""

Attention = Literal["pending", "decided"]
"""What a record still needs: a decision or its expiry, or a workflow that has read its end."""

SweepList = Literal["pending", "decided", "postponed"]
"""The lists of a sweep: records that need attention, and those that it could not repair."""

Execution = Literal["running", "ended"]


@dataclass(frozen=True, slots=True)
class Postponed:
    """A record that the sweep could not repair.

    Attributes:
        approval_id: its id.
        pending: whether it still awaits its expiry; otherwise its workflow has not read its end.
        tries: how often the sweep has tried.
        until: when the sweep tries again; None for one that is parked until somebody asks for it.
        reason: why it is not repaired; None where nothing is amiss.
    """

    approval_id: str
    pending: bool
    tries: int
    until: datetime | None
    reason: str | None


Unit = Literal["Count", "Seconds"]
"""Of a metric, as CloudWatch names it."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and the cursor of the next one, if there is one."""

    items: Sequence[Mapping[str, Any]]
    cursor: str | None


class Store(Protocol):
    """The approvals and their audit. Every write is conditional; the first to commit wins."""

    def create(self, transition: Transition) -> Approval:
        """Commit a new record and its first event; the record that stands there already wins.

        Returns:
            The record under this id: the new one, or the one that was there.
        """

    def create_instead(self, transition: Transition, ended: Transition) -> Approval:
        """The same as `create`, together with the end of the record that the new one replaces.

        Raises:
            VersionConflict: that record has changed since it was read: read again.
        """

    def commit(self, transition: Transition) -> None:
        """Commit a transition of a record, if nothing has changed since it was read.

        Nor may the delegation have changed that a vote rests on.

        Raises:
            VersionConflict: something has: read again and decide again.
        """

    def register_callback(self, approval_id: str, callback_id: str) -> Approval | None:
        """Write the callback on the record if it is still pending.

        Returns:
            The record as it now is, pending or not; None if there is none.

        Raises:
            UnreadableRecord: it cannot be read.
        """

    def get(self, approval_id: str) -> Approval | None:
        """The record, read consistently; None if there is none.

        Raises:
            UnreadableRecord: it cannot be read.
        """

    def mark_resumed(self, approval_id: str) -> None:
        """Note that the workflow has read the end of this approval from the record. Idempotent."""

    def overdue(
        self, attention: Attention, *, before: datetime, limit: int
    ) -> Iterator[Sequence[str]]:
        """Ids of records that have needed attention since before that time, longest first.

        In pages of at most `limit`, each read when it is taken. Postponed ones are not among them.
        """

    def postponed(self) -> Iterator[Postponed]:
        """All records that are postponed, what is due first comes first, parked ones last."""

    def postpone(
        self,
        approval_id: str,
        *,
        found_on: SweepList,
        tries: int,
        until: datetime | None,
        reason: str | None,
    ) -> None:
        """Let a record wait until a time, if it still stands on the list where it was found.

        Args:
            approval_id: the record's id.
            found_on: that list.
            tries: how often the sweep has tried.
            until: when it is due again; None parks it.
            reason: why it is not repaired; None where nothing is amiss.
        """

    def take_up(self, approval_id: str, *, at: datetime) -> bool:
        """Make a postponed or parked record due at that time; whether it was one."""

    def count_pending(self) -> int:
        """How many records await a decision, as the index has them by now.

        Postponed ones do not: their time has passed.
        """

    def list_by_status(
        self, status: Status, *, limit: int, cursor: str | None, since: datetime | None = None
    ) -> Page:
        """Records of one status, newest first, as `contract.Table.LIST_ATTRIBUTES` shows them.

        With `since` only those that were created at that time or later.

        Raises:
            InvalidRequest: the cursor is not one that a list gave.
        """

    def history(self, approval_id: str) -> Sequence[Mapping[str, Any]]:
        """The audit events of one approval, oldest first, as `AuditEvent.to_dict` writes them.

        Read consistently; empty if there are none.
        """


Found = Mapping[str, Sequence[str] | None]
"""The people that each of these names stands for; None: the name is a person's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a wait brings to have its request recorded.

    Attributes:
        request: what is asked.
        timeout: time to decide.
        members: of the names among the approvers, where who asks has found them.
        creation_token: whoever comes again with it has created the record.
        callback_id: completed when it is decided; None for a workflow that polls.
        counted: the time to decide, where it was given in business hours.
    """

    request: ApprovalRequest
    timeout: timedelta
    members: Found | None
    creation_token: str
    callback_id: str | None
    counted: Counted | None = None


class Requests(Protocol):
    """What a wait asks of its deployment: directly, or through the request function.

    Raises:
        Unavailable: (each of them) not now; may be tried again.
    """

    def check(self, request: ApprovalRequest, timeout: timedelta, members: Found | None) -> None:
        """Refuse at once what is known here to be refused by `submit`.

        Raises:
            InvalidRequest: the deployment cannot hold it.
        """

    def now(self) -> datetime:
        """The time, as who asks knows it."""

    def submit(self, key: RequestKey, submission: Submission) -> Snapshot:
        """Create the record, once for each key and creation token.

        Raises:
            InvalidRequest: the deployment cannot hold it, or the key is another request's.
        """

    def notify(self, key: RequestKey) -> None:
        """Publish the request to everybody who listens, unless it has ended."""

    def note_notification_failed(self, key: RequestKey, reason: str) -> None:
        """Put on record that nobody could be notified."""

    def register_callback(self, key: RequestKey, callback_id: str) -> Snapshot:
        """Write the callback on the record; the record as it now is.

        Raises:
            RecordAltered: as `check_status` raises it.
        """

    def check_status(self, key: RequestKey) -> Snapshot:
        """The record as it now is, closed first if its time has passed.

        Raises:
            RecordAltered: it has ended otherwise than its audit trail says.
        """

    def read_context(self, key: RequestKey) -> str:
        """The context that stands on the record, as JSON."""

    def abandon(self, key: RequestKey, creation_token: str) -> None:
        """Close what `submit` may have written although it failed, if it stands there."""

    def withdraw(self, execution_arn: str, approval: str, reason: str) -> Status | None:
        """Withdraw what an execution has asked under a name or an id.

        Returns:
            How it stands now; None if the execution has not asked under that name.

        Raises:
            InvalidRequest: another execution has asked.
        """


class Inbox(Protocol):
    """What awaits each approver: a view of the store, behind it by a moment."""

    def add(self, approval: Approval, names: Sequence[str]) -> None:
        """Put a request before these people. Idempotent.

        Raises:
            Unavailable: not now; may be tried again.
        """

    def remove(self, approval: Approval, names: Sequence[str]) -> None:
        """Take a request away from these people. Idempotent.

        Raises:
            Unavailable: not now; may be tried again.
        """

    def awaiting(self, name: str, *, limit: int, cursor: str | None) -> Page:
        """Pending requests that this person has not answered; what expires first comes first.

        Raises:
            InvalidRequest: the cursor is not one that this list gave.
        """


class Delegations(Protocol):
    """Who answers for whom, as people have said it. Every read is consistent."""

    def put(self, delegation: Delegation) -> None:
        """Write a delegation, in place of what its giver has said before.

        Raises:
            Unavailable: not now; may be tried again.
        """

    def end(self, giver: str) -> Delegation | None:
        """Remove what somebody has said; what it was.

        Raises:
            Unavailable: not now; may be tried again.
        """

    def of(self, giver: str) -> Delegation | None:
        """What somebody has said last, over or not; None if nothing."""

    def to(
        self, name: str, *, after: datetime, givers: Sequence[str] | None = None
    ) -> Sequence[Delegation]:
        """The delegations to this person that last beyond a time.

        Args:
            name: of the delegate.
            after: that time.
            givers: only of these people. Default: of all.
        """


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

    def find(self, approval_id: str, key: str) -> Message | None:
        """One of them, read consistently; None if there is none."""


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


class Signer(Protocol):
    """Signs what has happened, so that only who may use the key can have written it."""

    def sign(self, event_hash: str) -> str:
        """Sign the hash of an audit event, and by it all events before.

        Raises:
            Unavailable: not signed now; may be tried again.
        """

    def verify(self, event_hash: str, signature: str) -> bool:
        """Whether this key has signed this hash.

        Raises:
            Unavailable: it does not answer now.
        """


class EventPublisher(Protocol):
    """Tells other systems."""

    def publish(self, events: Sequence[BusEvent]) -> int:
        """Send in order, at least once.

        Returns:
            How many of the first were sent before one was not.
        """


class Archive(Protocol):
    """Keeps archive objects where nobody can change them."""

    def last(self) -> Position:
        """The newest object, or where an archive without objects begins.

        Raises:
            Unavailable: it cannot be read now, for whatever reason.
        """

    def put(self, number: int, stored: bytes) -> bool:
        """Write an object, unless there is one of this number.

        Returns:
            Whether it was written.

        Raises:
            Unavailable: it cannot be written now, for whatever reason.
        """


class Unarchived(Protocol):
    """Keeps events that could not be archived until they can be."""

    def put(self, events: Sequence[ArchivedEvent]) -> None:
        """Keep these.

        Raises:
            Unavailable: they cannot be kept now, for whatever reason.
        """


class Secrets(Protocol):
    """Randomness, so that tests can own it."""

    def draw(self) -> bytes:
        """As many bytes as a link's secret has, which nobody can guess."""


class CallbackClient(Protocol):
    """Resumes a waiting workflow."""

    def complete(self, callback_id: str) -> Completed:
        """Complete the callback. Never raises for a closed, unknown or unreachable one."""


class Tasks(Protocol):
    """Answers the task of a state machine that waits for an approval. Both are idempotent."""

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Let the state machine go on with this output; whether it still waited.

        Raises:
            Unavailable: not sent now; may be tried again.
        """

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Let the state fail; whether it still waited.

        Raises:
            Unavailable: not sent now; may be tried again.
        """


class Executions(Protocol):
    """Knows whether workflows still run."""

    def check_status(self, execution_arn: str) -> Execution:
        """Whether the execution still runs; one that is paused does, an unknown one has ended.

        Raises:
            Unavailable: it does not answer now.
        """


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime:
        """The current moment, UTC."""

    def pause(self, attempt: int) -> None:
        """Wait a moment before the given retry (1, 2, ...) of a contended write."""


class Meter(Protocol):
    """Counts what operators must see."""

    def count(self, metric: str, value: int = 1) -> None:
        """Add to a metric of `contract.Metrics`; 0 says that all is well."""

    def measure(self, metric: str, value: float, unit: Unit) -> None:
        """Note what a metric of `contract.Metrics` measures now."""
