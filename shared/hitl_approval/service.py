"""The use cases: submit, notify, arm, look, decide, cancel, list. No AWS names here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.contract import Audit, Metrics, Route, Table
from hitl_approval.domain.announcement import announce
from hitl_approval.domain.approval import (
    Approval,
    Decision,
    Status,
    Transition,
    cancel,
    cast_vote,
    expire,
    note_notification_failed,
    open_approval,
)
from hitl_approval.domain.audit import SYSTEM, Actor, Finding, Head, parse_time, verify
from hitl_approval.domain.cursor import encode_cursor
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    InvalidRequest,
    Unavailable,
    VersionConflict,
)
from hitl_approval.domain.link import PersonalLink, digest_of, make_challenge, make_token
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.text import person
from hitl_approval.ports import (
    Announcer,
    Clock,
    Doorbell,
    Executions,
    Inbox,
    Meter,
    Notifier,
    Page,
    Ring,
    Secrets,
    Signer,
    Store,
)

logger = logging.getLogger(__name__)

SWEEP_GRACE = timedelta(minutes=5)
"""How long a workflow has to do a thing by itself. Ours: longer than clocks are apart."""
SWEEP_LIMIT = 100
"""Records of each kind that one sweep takes up. Ours: well inside one invocation's time."""

SEARCHED = 1_000
"""Records that one page of a search reads at most. Ours: well inside one invocation's time."""
SEARCH_PAGE = 100
"""Records that a search reads at once."""

MAX_TRIES = 10
"""Tries of a contended write. Ours: with 20 approvers voting at once each still gets through."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a decision or a cancellation.

    Attributes:
        approval: the record as it now is.
        already: the same answer by the same person was on record before.
        doorbell: what became of the waiting workflow's doorbell; None if it was not time to ring.
    """

    approval: Approval
    already: bool
    doorbell: Ring | None


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """Where personal links lead.

    Attributes:
        url: without a slash at its end.
        secrets: what a link's secret is drawn from.
        challenge: whether the page also asks for a code, which stands in no message with a link.
    """

    url: str
    secrets: Secrets
    challenge: bool = False

    def token(self, approval_id: str) -> str:
        """A new link's token."""
        return make_token(approval_id, self.secrets.draw())

    def link(self, token: str) -> str:
        """The link of a token."""
        return self.url + Route.LINK.format(token=token)

    def draw_challenge(self) -> str | None:
        """A new code, where one is asked for."""
        return make_challenge(self.secrets.draw()) if self.challenge else None


@dataclass(frozen=True, slots=True)
class Trail:
    """An audit trail, oldest event first, and what `verify` found wrong with it."""

    events: Sequence[Mapping[str, Any]]
    findings: Sequence[Finding]


def unsigned(events: Sequence[Mapping[str, Any]], signer: Signer | None) -> list[Finding]:
    """What is wrong with the signatures of a trail, where its deployment signs."""
    if signer is None:
        return []
    return [
        Finding(number, "is not signed by the deployment's key")
        for number, event in enumerate(events, start=1)
        if not signer.verify(str(event.get(Audit.HASH)), str(event.get(Audit.SIGNATURE, "")))
    ]


def read_trail(store: Store, approval_id: str, signer: Signer | None) -> Trail:
    """The audit trail of one approval, and what is wrong with it.

    Raises:
        ApprovalNotFound: no approval ever had this id.
    """

    def read_head() -> Head | None:
        approval = store.get(approval_id)
        return approval.audit_head if approval else None

    head = read_head()
    for _ in range(MAX_TRIES):
        events = store.history(approval_id)
        before, head = head, read_head()
        if head == before:  # nothing was written between the reads
            break
    if not events:
        raise ApprovalNotFound(approval_id)
    return Trail(events, [*verify(events, head), *unsigned(events, signer)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A request as this deployment will hold it, its defaults filled in.

    Raises:
        InvalidRequest: the deployment cannot hold it.
    """

    request: ApprovalRequest
    approvers: tuple[str, ...]
    policy: Policy
    timeout: timedelta

    def __post_init__(self) -> None:
        deciders = self.policy.deciders(self.approvers, self.request.requester)
        if self.approvers and not deciders:
            raise InvalidRequest("approvers", "name only the requester, who cannot decide")
        try:
            self.policy.check(deciders)
        except ValueError as error:
            raise InvalidRequest("approvers", str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """What both sides share: the record, time and the metrics."""

    store: Store
    clock: Clock
    meter: Meter
    signer: Signer | None = None

    def get(self, approval_id: str) -> Approval:
        """One approval.

        Raises:
            ApprovalNotFound: no approval has this id.
        """
        approval = self.store.get(approval_id)
        if approval is None:
            raise ApprovalNotFound(approval_id)
        return approval

    def _change(
        self, approval_id: str, change: Callable[[Approval], Transition | None]
    ) -> tuple[Approval, bool]:
        """Read, decide, commit; on a conflict read and decide again.

        Returns:
            The record, and whether this call changed it.
        """
        for attempt in range(1, MAX_TRIES + 1):
            approval = self.get(approval_id)
            transition = change(approval)
            if transition is None:
                return approval, False
            try:
                self.store.commit(self._signed(transition))
            except VersionConflict:
                self.clock.pause(attempt)
                continue
            logger.info("%s approval_id=%s", transition.event.event, approval_id)
            return transition.after, True
        raise Unavailable("the record is contended: try again")

    def _signed(self, transition: Transition) -> Transition:
        if self.signer is None:
            return transition
        return replace(transition, signature=self.signer.sign(transition.event.hash))


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestService(_Records):
    """The asking side, for the workflow that waits.

    Attributes:
        notifier: tells the approvers.
        page: where their personal links lead; None where nobody gets one.
    """

    notifier: Notifier
    page: ApprovalPage | None = None

    def submit(
        self,
        terms: Terms,
        *,
        approval_id: str,
        execution_arn: str,
        creation_token: str,
        callback_id: str | None,
    ) -> Approval:
        """Create the record, once for each execution and creation token.

        Raises:
            InvalidRequest: another approval of the same execution has this id (a name used twice).
        """
        proposed = open_approval(
            terms.request,
            approval_id=approval_id,
            execution_arn=execution_arn,
            creation_token=creation_token,
            callback_id=callback_id,
            approvers=terms.approvers,
            policy=terms.policy,
            timeout=terms.timeout,
            now=self.clock.now(),
        )
        created = self.store.create(self._signed(proposed))
        if created.creation_token != creation_token:
            raise InvalidRequest(
                "name", "is used twice in this execution: give each approval its own"
            )
        return created

    def withdraw(self, approval_id: str, creation_token: str) -> None:
        """Close what `submit` may have written although it failed, if it stands there."""

        def cancelled(approval: Approval) -> Transition | None:
            if not approval.pending or approval.creation_token != creation_token:
                return None
            now = self.clock.now()
            return expire(approval, now=now) or cancel(
                approval, SYSTEM, "the workflow could not start", now=now
            )

        with suppress(ApprovalNotFound):
            self._change(approval_id, cancelled)

    def notify(self, approval_id: str, written: Approval | None = None) -> None:
        """Tell the approvers, unless the approval has ended meanwhile.

        One that silence has ended, its workflow being that late, counts as not told.

        Args:
            approval_id: the record's id.
            written: the record as the caller wrote it just now, which is not read again.
        """
        approval = written or self.get(approval_id)
        if not approval.pending:
            if approval.decided_by == SYSTEM.name:
                self.meter.count(Metrics.NOTIFICATION_FAILED)
            return
        challenge = None
        if self.page is not None and approval.deciders:
            tokens = {name: self.page.token(approval_id) for name in approval.deciders}
            links = [PersonalLink(digest_of(token), name) for name, token in tokens.items()]
            challenge = self.page.draw_challenge()
            # Before anything is sent: a link must open.
            challenge = self.store.add_links(approval, links, challenge=challenge)
            for name, token in tokens.items():
                link = self.page.link(token)
                self.notifier.publish(approval_needed(approval, recipient=name, link=link))
        self.notifier.publish(approval_needed(approval, challenge=challenge))

    def note_notification_failed(self, approval_id: str, reason: str) -> None:
        """Put on record, and on the alarm's metric, that nobody could be told."""
        self.meter.count(Metrics.NOTIFICATION_FAILED)
        self._change(
            approval_id,
            lambda approval: (
                note_notification_failed(approval, reason, now=self.clock.now())
                if approval.pending
                else None
            ),
        )

    def arm(self, approval_id: str, callback_id: str) -> Approval:
        """Give the record the callback to ring; the record as it now is."""
        approval = self.store.arm(approval_id, callback_id)
        if approval is None:
            raise ApprovalNotFound(approval_id)
        return self._seen(approval)

    def look(self, approval_id: str) -> Approval:
        """The record as it now is, closed first if its time has passed."""
        approval, _ = self._change(
            approval_id, lambda approval: expire(approval, now=self.clock.now())
        )
        return self._seen(approval)

    def _seen(self, approval: Approval) -> Approval:
        """Note on the record that its workflow, which is who asks, has read how it ended."""
        if not approval.pending and not approval.resumed:
            self.store.acknowledge(approval.approval_id)
        return approval


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionService(_Records):
    """The answering side, for the people who decide and those who look on."""

    doorbell: Doorbell
    inbox: Inbox | None = None

    def decide(
        self,
        approval_id: str,
        actor: Actor,
        decision: Decision,
        comments: str = "",
        *,
        content_digest: str | None = None,
    ) -> Answer:
        """Commit a vote and, if it decides, wake the workflow.

        Raises:
            ApprovalNotFound: no approval has this id.
            ApprovalError: the vote is refused (see `cast_vote`); nothing was written.
        """
        approval, changed = self._change(
            approval_id,
            lambda approval: cast_vote(
                approval,
                actor,
                decision,
                comments,
                now=self.clock.now(),
                content_digest=content_digest,
            ),
        )
        return Answer(approval, not changed, self._ring(approval))

    def cancel(self, approval_id: str, actor: Actor, comments: str = "") -> Answer:
        """Withdraw a request and wake the workflow.

        Raises:
            ApprovalNotFound: no approval has this id.
            ApprovalError: it has ended otherwise.
        """
        approval, changed = self._change(
            approval_id, lambda approval: cancel(approval, actor, comments, now=self.clock.now())
        )
        return Answer(approval, not changed, self._ring(approval))

    def ring_again(self, approval_id: str) -> Answer:
        """Wake the workflow of a decided approval once more, for operators; writes nothing.

        Raises:
            ApprovalNotFound: no approval has this id.
            InvalidRequest: there is nothing to tell yet.
        """
        approval = self.get(approval_id)
        if approval.pending:
            raise InvalidRequest("approval_id", "is still pending: there is nothing to resume for")
        return Answer(approval, already=True, doorbell=self._ring(approval))

    def list_by_status(
        self,
        status: Status,
        *,
        limit: int,
        cursor: str | None,
        since: datetime | None = None,
        requester: str | None = None,
        subject: str | None = None,
        id_prefix: str | None = None,
    ) -> Page:
        """One page of the approvals of a status, newest first.

        A search reads at most `SEARCHED` records for one page: it may find fewer than `limit`, or
        none, and still have a cursor to go on from.

        Args:
            status: of all of them.
            limit: how many at most.
            cursor: where the page before ended.
            since: only what was created at that time or later.
            requester: only what this person asked for.
            subject: only those with this in their subject, whatever its case.
            id_prefix: only those whose id begins like this.
        """
        if requester is None and subject is None and id_prefix is None:
            return self.store.list_by_status(status, limit=limit, cursor=cursor, since=since)
        found: list[Mapping[str, Any]] = []
        for _ in range(SEARCHED // SEARCH_PAGE):
            page = self.store.list_by_status(status, limit=SEARCH_PAGE, cursor=cursor, since=since)
            for item in page.items:
                if _matches(item, requester, subject, id_prefix):
                    found.append(item)
                if len(found) == limit:
                    after = encode_cursor(item[Table.CREATED_AT], item[Table.PARTITION_KEY])
                    return Page(found, after)
            cursor = page.cursor
            if cursor is None:
                break
        return Page(found, cursor)

    def awaiting(self, name: str, *, limit: int, cursor: str | None) -> Page:
        """One page of what awaits this person's answer, those that expire first first.

        Raises:
            InvalidRequest: this deployment keeps no inbox.
        """
        if self.inbox is None:
            raise InvalidRequest("action", "needs an inbox, which this deployment does not keep")
        return self.inbox.awaiting(name, limit=limit, cursor=cursor)

    def history(self, approval_id: str) -> Trail:
        """The audit trail of one approval, and what is wrong with it.

        Raises:
            ApprovalNotFound: no approval ever had this id.
        """
        return read_trail(self.store, approval_id, self.signer)

    def _ring(self, approval: Approval) -> Ring | None:
        if approval.pending or approval.callback_id is None:
            return None
        ring = self.doorbell.ring(approval.callback_id)
        if ring == "failed":
            self.meter.count(Metrics.DOORBELL_FAILED)
        return ring


def _matches(
    item: Mapping[str, Any], requester: str | None, subject: str | None, id_prefix: str | None
) -> bool:
    asked = requester is None or person(item["requester"]) == person(requester)
    about = subject is None or subject.casefold() in item["subject"].casefold()
    return asked and about and item[Table.PARTITION_KEY].startswith(id_prefix or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepService(_Records):
    """Finds and mends what a crash, an outage or an operator left behind.

    The workflow mends by itself whatever leaves it alive: a lost doorbell, a message that was not
    sent. The sweep is for the rest, and for the time in between.
    """

    doorbell: Doorbell
    executions: Executions

    def sweep(self) -> dict[str, int]:
        """Close what is past its expiry, wake who has not heard of a decision; count both.

        Returns:
            How many were found, by metric. Found again at the next sweep are only those whose
            workflow still runs and has not yet looked.
        """
        before = self.clock.now() - SWEEP_GRACE
        expired = self.store.overdue("pending", before=before, limit=SWEEP_LIMIT)
        unheard = self.store.overdue("decided", before=before, limit=SWEEP_LIMIT)
        gone: list[str] = []
        found = {
            Metrics.PENDING_PAST_EXPIRY: sum(self._mend(i, self._close, gone) for i in expired),
            Metrics.DECIDED_NOT_RESUMED: sum(self._mend(i, self._wake, gone) for i in unheard),
        }
        for metric, count in found.items():
            self.meter.count(metric, count)
        for approval_id in gone:  # counted first: a sweep that dies here counts again, not never
            with suppress(Unavailable):
                self.store.acknowledge(approval_id)
        with suppress(Unavailable):  # a gauge: the next sweep reads it again
            self.meter.measure(Metrics.PENDING, self.store.count_pending(), "Count")
        return found

    def _mend(
        self, approval_id: str, mend: Callable[[str, list[str]], bool], gone: list[str]
    ) -> bool:
        """Mend one record; what cannot be mended now does not keep the others from it."""
        try:
            return mend(approval_id, gone)
        except ApprovalNotFound:  # removed since the index was written
            return False
        except Unavailable as error:
            logger.warning("not mended now: %s approval_id=%s", error, approval_id)
            return True

    def _close(self, approval_id: str, gone: list[str]) -> bool:
        """Write the expiry that the workflow did not write; whether this call did."""
        approval, changed = self._change(
            approval_id, lambda approval: expire(approval, now=self.clock.now())
        )
        if changed:
            logger.warning("closed after its expiry approval_id=%s", approval_id)
            self._wake(approval.approval_id, gone)
        return changed

    def _wake(self, approval_id: str, gone: list[str]) -> bool:
        """Ring for a decision that was not heard; whether that was amiss.

        A workflow that polls hears of it at its next poll. One that has ended, stopped by an
        operator say, will never hear: that is put in the log and, once it is counted, needs no
        more attention.
        """
        approval = self.get(approval_id)
        if approval.pending or approval.resumed:
            return False
        if self.executions.look(approval.execution_arn) == "ended":
            logger.error("decided, but its workflow has ended approval_id=%s", approval_id)
            gone.append(approval_id)
            return True
        if approval.callback_id is None:
            return False
        self.doorbell.ring(approval.callback_id)
        return True


_COUNTED = {
    "requested": Metrics.REQUESTED,
    "approved": Metrics.APPROVED,
    "rejected": Metrics.REJECTED,
    "timeout": Metrics.TIMED_OUT,
    "cancelled": Metrics.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayService(_Records):
    """Tells of every transition that has been committed: other systems, metrics and inboxes.

    Fed with the committed audit events, each at least once and in order, so that what it tells has
    happened and what has happened is told, whatever becomes of the function that committed it.
    """

    announcer: Announcer
    deployment: str
    inbox: Inbox | None = None

    def relay(self, events: Sequence[Mapping[str, Any]]) -> int:
        """Announce these audit events.

        Returns:
            How many of the first were announced and filed: the others are to be brought again.
        """
        records = {event["approval_id"]: None for event in events}
        found = {approval_id: self.store.get(approval_id) for approval_id in records}
        announced = self.announcer.announce(
            [
                announce(event, found[event["approval_id"]], deployment=self.deployment)
                for event in events
            ]
        )
        for position, event in enumerate(events[:announced]):
            try:
                self._file(event, found[event["approval_id"]])
            except Unavailable as error:
                logger.warning("not filed now: %s approval_id=%s", error, event["approval_id"])
                return position
            self._count(event, found[event["approval_id"]])
        return announced

    def _file(self, event: Mapping[str, Any], approval: Approval | None) -> None:
        """Into the inboxes of those who may decide, out of one's own by answering."""
        if self.inbox is None or approval is None:
            return
        if event["event"] == "requested":
            if approval.pending:
                self.inbox.add(approval, approval.deciders)
        elif event["event"] == "voted":
            self.inbox.remove(approval, [event["actor"]])
        elif event["event"] != "notification_failed":
            self.inbox.remove(approval, approval.deciders)

    def _count(self, event: Mapping[str, Any], approval: Approval | None) -> None:
        if metric := _COUNTED.get(event["event"]):
            self.meter.count(metric)
        by_people = event["event"] in {"approved", "rejected"} and event["identity"] != "system"
        if approval and by_people:
            waited = parse_time(event["at"]) - approval.created_at
            self.meter.measure(Metrics.TIME_TO_DECISION, waited.total_seconds(), "Seconds")
