"""The records, and the lists that are kept of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from hitl_approval.domain.approval import Approval, Status, Transition
from hitl_approval.domain.delegation import Delegation

Attention = Literal["pending", "decided"]
"""What a record still needs: a decision or its expiry, or a workflow that has read its end."""


SweepList = Literal["pending", "decided", "postponed"]
"""The lists of a sweep: records that need attention, and those that it could not repair."""


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

    def count_pending(self, *, most: int) -> int:
        """How many records await a decision, as the index has them by now.

        Postponed ones do not: their time has passed.

        Args:
            most: are counted; where there are more, that is the answer.
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


class Gauges(Protocol):
    """What is read of the approvals only to be measured."""

    def attention_since(self, attention: Attention) -> datetime | None:
        """Since when what has waited longest on a list needs attention; None if nothing is on it.

        Postponed records are not on it. A pending one's time is its expiry, so mostly to come.

        Raises:
            Unavailable: not now; may be tried again.
        """

    def pending_since(self, rank: int) -> datetime | None:
        """When a pending request was made, counted from the oldest, which is 0; None if none is.

        Raises:
            Unavailable: not now; may be tried again.
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
