"""The publisher: every committed event reaches the bus, the metrics and the inboxes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hitl_approval.contract import Audit, Metrics
from hitl_approval.domain.agreement import ENDS
from hitl_approval.domain.approval import (
    Approval,
)
from hitl_approval.domain.audit import parse_time
from hitl_approval.domain.bus_event import BusEvent, bus_event
from hitl_approval.domain.errors import (
    Unavailable,
    UnreadableRecord,
)
from hitl_approval.domain.message import ASKS_OTHERS
from hitl_approval.domain.salted import erased_of, is_erasure
from hitl_approval.domain.text import shown
from hitl_approval.domain.values import is_edit
from hitl_approval.domain.voting import may_still_answer
from hitl_approval.ports.messages import EventPublisher
from hitl_approval.ports.records import Inbox
from hitl_approval.usecases.archive import ArchiveService
from hitl_approval.usecases.records import Records

logger = logging.getLogger(__name__)

_COUNTED = {
    "requested": Metrics.REQUESTED,
    "approved": Metrics.APPROVED,
    "rejected": Metrics.REJECTED,
    "timeout": Metrics.TIMED_OUT,
    "cancelled": Metrics.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class _Published:
    """An audit event, its record as far as there is one, and what is published of it."""

    approval_id: str
    event: Mapping[str, Any]
    approval: Approval | None
    bus_event: BusEvent


@dataclass(frozen=True, slots=True)
class Alteration:
    """An audit event that has been written again, or removed.

    Attributes:
        key: which it is; whatever stands there.
        before: as it was stored; empty where the stream does not say.
        after: as it is stored now; empty where it is gone.
    """

    key: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishService(Records):
    """Publishes every committed transition: on the event bus, as metrics, into inboxes.

    It is fed with the committed audit events, each at least once and in order: what it publishes
    has happened, and what has happened is published, whatever becomes of who committed it.
    """

    publisher: EventPublisher
    deployment: str
    inbox: Inbox | None = None
    archiving: ArchiveService | None = None

    def publish(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Publish these audit events.

        An event that can never be published is counted and passed over: nothing behind it waits.
        They are archived first: what can neither be archived nor kept for that has not been
        published either when the batch is brought again.

        Returns:
            How many of the first were taken care of: the others are to be brought again.
        """
        if self.archiving is not None:
            try:
                self.archiving.accept(events)
            except Unavailable as error:
                logger.warning("neither archived nor kept for it: %s", error)
                return 0
        read: list[_Published | None] = []
        records: dict[str, Approval | None] = {}
        for event in events:
            try:
                read.append(self._read(event, records))
            except Unavailable as error:
                logger.warning("not read now: %s", error)
                break
        published = self.publisher.publish([one.bus_event for one in read if one])
        for position, one in enumerate(read):
            if one is None:
                self.meter.count(Metrics.PASSED_OVER)
                continue
            if not published:
                return position
            published -= 1
            try:
                self._update_inboxes(one.event, one.approval)
                self._count(one.event, one.approval)
                logger.info("published %s approval_id=%s", one.event["event"], one.approval_id)
            except Unavailable as error:
                logger.warning("inboxes not updated now: %s approval_id=%s", error, one.approval_id)
                return position
            except Exception as error:  # noqa: BLE001  its own, whatever it is: the next one waits
                logger.warning(
                    "inboxes not updated: %s approval_id=%s", type(error).__name__, one.approval_id
                )
                self.meter.count(Metrics.PASSED_OVER)
        return len(read)

    def note_altered(self, alterations: Sequence[Alteration]) -> None:
        """Count audit events that somebody has changed or removed: no part of a deployment does.

        An erasure takes values away and changes nothing that is hashed. It counts by itself.
        """
        for one in alterations:
            name = shown(one.key.get(Audit.PARTITION_KEY)), shown(one.key.get(Audit.SORT_KEY))
            if is_erasure(one.before, one.after):
                values = erased_of(one.after) - erased_of(one.before)
                self.meter.count(Metrics.ERASED_VALUES, values)
                logger.info("values were erased: approval_id=%s sequence=%s", *name)
                continue
            self.meter.count(Metrics.ALTERED_TRAIL)
            logger.error("an audit event was changed or removed: approval_id=%s sequence=%s", *name)

    def _read(
        self, event: Mapping[str, Any], records: dict[str, Approval | None]
    ) -> _Published | None:
        """What is published of an event, without the row's fields if the row cannot be read."""
        try:
            approval_id = str(event[Audit.PARTITION_KEY])
            if approval_id not in records:
                records[approval_id] = self._find(approval_id)
            approval = records[approval_id]
            published = bus_event(event, approval, deployment=self.deployment)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # By the kinds of error and id only: whose text this is, nobody knows.
            logger.warning("no event of ours: %s", type(error).__name__)
            return None
        return _Published(approval_id, event, approval, published)

    def _find(self, approval_id: str) -> Approval | None:
        try:
            return self.store.get(approval_id)
        except UnreadableRecord:
            logger.warning("a row cannot be read approval_id=%s", approval_id)
            return None

    def _update_inboxes(self, event: Mapping[str, Any], approval: Approval | None) -> None:
        """Into the inboxes of those who may decide, out of one's own by answering."""
        if self.inbox is None or approval is None:
            return
        name, details = event["event"], event["details"]
        if name in ASKS_OTHERS:
            left = [*details["released"], *([event["actor"]] if "decision" in details else [])]
            self.inbox.remove(_until(approval, details, "expired_at"), left)
        if name == "requested" or name in ASKS_OTHERS:
            if approval.pending and not approval.ends_by_rule:
                asked = approval.first_deciders if name == "requested" else details["to"]
                self.inbox.add(_until(approval, details, "expires_at"), asked)
        elif name == "voted":
            if is_edit(details) and approval.pending:  # whoever has answered may again
                self.inbox.add(approval, may_still_answer(approval))
            self.inbox.remove(approval, [event["actor"]])
        elif name == "retracted" and approval.pending:
            self.inbox.add(approval, [event["actor"]])
        elif name in ENDS:
            self.inbox.remove(approval, approval.deciders)

    def _count(self, event: Mapping[str, Any], approval: Approval | None) -> None:
        if metric := _COUNTED.get(event["event"]):
            self.meter.count(metric)
        decided = event["event"] in {"approved", "rejected"}
        by_people = decided and event["identity"] not in {"system", "rule"}
        if approval and by_people:
            waited = parse_time(event["at"]) - approval.created_at
            self.meter.measure(Metrics.TIME_TO_DECISION, waited.total_seconds(), "Seconds")


def _until(approval: Approval, details: Mapping[str, Any], name: str) -> Approval:
    """The record as its inboxes have it by the expiry that an event says, if it says one."""
    said = details.get(name)
    return replace(approval, expires_at=parse_time(said)) if said else approval
