"""The use cases: submit, notify, arm, look, decide, cancel, list. No AWS names here."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.contract import Audit, Metrics, Route, Table
from hitl_approval.domain.agreement import Row, altered_end, examine
from hitl_approval.domain.announcement import Announcement, announce
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
from hitl_approval.domain.audit import SYSTEM, Actor, Finding, parse_time
from hitl_approval.domain.cursor import encode_cursor
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    InvalidRequest,
    RecordAltered,
    Unavailable,
    UnreadableRecord,
    VersionConflict,
)
from hitl_approval.domain.link import PersonalLink, digest_of, make_challenge, make_token
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.text import person
from hitl_approval.ports import (
    Announcer,
    Attention,
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
SWEEP_PAGE = 100
"""Records that a sweep takes up at once. Ours: DynamoDB answers with them at once."""
SWEEP_SHARE = 0.4
"""Of a sweep's time, for each of the two kinds of records; the rest is for what it notes."""

SEARCHED = 1_000
"""Records that one page of a search reads at most. Ours: well inside one invocation's time."""
SEARCH_PAGE = 100
"""Records that a search reads at once."""

AGREEMENT_TRIES = 3
"""Looks at a record and its last event that do not agree: they are two reads."""

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
    """The audit trail of one approval, and what is wrong with it or with its row.

    Raises:
        ApprovalNotFound: no approval ever had this id.
    """

    def read_row() -> Row:
        try:
            return store.get(approval_id)
        except UnreadableRecord as error:
            return error

    row = read_row()
    for _ in range(MAX_TRIES):
        events = store.history(approval_id)
        before, row = row, read_row()
        if _head(row) == _head(before):  # nothing was written between the reads
            break
    if not events and row is None:
        raise ApprovalNotFound(approval_id)
    return Trail(events, [*examine(events, row), *unsigned(events, signer)])


def _head(row: Row) -> object:
    return row.audit_head if isinstance(row, Approval) else str(row)


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

    def recipients(self, approval: Approval) -> list[str | None]:
        """Who gets a message: each approver who gets links, and everybody together (None)."""
        return [*(approval.deciders if self.page is not None else ()), None]

    def notify(
        self, approval_id: str, written: Approval | None = None, *, recipient: str | None = None
    ) -> None:
        """Send one message about an approval, unless it has ended meanwhile.

        One that silence has ended, its workflow being that late, counts as not told.

        Args:
            approval_id: the record's id.
            written: the record as the caller wrote it just now, which is not read again.
            recipient: one of `recipients`. Default: everybody who listens.

        Raises:
            Unavailable: not sent now; may be tried again.
        """
        approval = written or self.get(approval_id)
        if not approval.pending:
            if recipient is None and approval.decided_by == SYSTEM.name:
                self.meter.count(Metrics.NOTIFICATION_FAILED)
            return
        link, challenge = self._open_page(approval, recipient)
        self.notifier.publish(
            approval_needed(
                approval,
                recipient=recipient,
                link=link,
                challenge=challenge if recipient is None else None,
            )
        )

    def _open_page(
        self, approval: Approval, recipient: str | None
    ) -> tuple[str | None, str | None]:
        """A new link of the recipient's own, which opens from now on, and the page's code."""
        if self.page is None or not approval.deciders:
            return None, None
        challenge, link = self.page.draw_challenge(), None
        links = []
        if recipient is not None:
            token = self.page.token(approval.approval_id)
            link = self.page.link(token)
            links = [PersonalLink(digest_of(token), recipient)]
        if links or challenge:
            challenge = self.store.add_links(approval, links, challenge=challenge)
        return link, challenge

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
        """Give the record the callback to ring; the record as it now is.

        Raises:
            RecordAltered: as `look` raises it.
        """
        approval = self.store.arm(approval_id, callback_id)
        if approval is None:
            raise ApprovalNotFound(approval_id)
        return self._seen(approval)

    def look(self, approval_id: str) -> Approval:
        """The record as it now is, closed first if its time has passed.

        Raises:
            RecordAltered: it has ended otherwise than its audit trail says.
        """
        approval, _ = self._change(
            approval_id, lambda approval: expire(approval, now=self.clock.now())
        )
        return self._seen(approval)

    def _seen(self, approval: Approval) -> Approval:
        """Let its workflow, which is who asks, act on how a record ended, and note that."""
        if approval.pending:
            return approval
        approval = self._agreed(approval)
        if not approval.pending and not approval.resumed:
            self.store.acknowledge(approval.approval_id)
        return approval

    def _agreed(self, approval: Approval) -> Approval:
        """A record that has ended as the last event of its trail says."""
        approval_id = approval.approval_id
        for attempt in range(1, AGREEMENT_TRIES + 1):
            altered = altered_end(approval, self.store.last_event(approval_id))
            if not altered:
                return approval
            self.clock.pause(attempt)
            approval = self.get(approval_id)
        self.meter.count(Metrics.ALTERED_RECORD)
        logger.error("not acted on: the row is not what its trail says approval_id=%s", approval_id)
        raise RecordAltered(approval_id, altered)


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

    def sweep(self, within: timedelta | None = None) -> dict[str, int]:
        """Close what is past its expiry, wake who has not heard of a decision; count both.

        Takes up all there is, whatever becomes of one record, as far as its time goes.

        Args:
            within: the time there is. Default: as long as it takes.

        Returns:
            How many were found, by metric. Found again at the next sweep are only those whose
            workflow still runs and has not yet looked, and those that nobody can mend.
        """
        began = self.clock.now()
        found = Counter(
            {
                Metrics.PENDING_PAST_EXPIRY: 0,
                Metrics.DECIDED_NOT_RESUMED: 0,
                Metrics.PASSED_OVER: 0,
            }
        )
        lists: tuple[tuple[Attention, str, Mend], ...] = (
            ("pending", Metrics.PENDING_PAST_EXPIRY, self._close),
            ("decided", Metrics.DECIDED_NOT_RESUMED, self._wake),
        )
        for number, (attention, metric, mend) in enumerate(lists, start=1):
            until = None if within is None else began + number * SWEEP_SHARE * within
            pages = self.store.overdue(attention, before=began - SWEEP_GRACE, limit=SWEEP_PAGE)
            for ids in pages:
                gone: list[str] = []
                seen = Counter({metric: 0, Metrics.PASSED_OVER: 0})
                for approval_id in ids:
                    if until is not None and self.clock.now() >= until:
                        logger.error("time is up, and not all of %s is seen", attention)
                        seen[Metrics.PASSED_OVER] += 1
                        break
                    if became := self._mend(approval_id, mend, gone, metric):
                        seen[became] += 1
                for name, count in seen.items():
                    self.meter.count(name, count)
                    found[name] += count
                # Counted first: a sweep that dies here counts again, not never.
                for approval_id in gone:
                    with suppress(Unavailable):
                        self.store.acknowledge(approval_id)
                if until is not None and self.clock.now() >= until:
                    break
        with suppress(Unavailable):  # a gauge: the next sweep reads it again
            self.meter.measure(Metrics.PENDING, self.store.count_pending(), "Count")
        return dict(found)

    def _mend(self, approval_id: str, mend: Mend, gone: list[str], metric: str) -> str | None:
        """Mend one record; what cannot be mended keeps the others from nothing.

        Returns:
            The metric that it counts for, if it does.
        """
        try:
            return metric if mend(approval_id, gone) else None
        except ApprovalNotFound:  # removed since the index was written
            return None
        except Unavailable as error:
            logger.warning("not mended now: %s approval_id=%s", error, approval_id)
            return metric
        except Exception as error:  # noqa: BLE001  its own, whatever it is: the next one waits
            # By its kind: the text of an error may hold what stands in the record.
            logger.warning("passed over: %s approval_id=%s", type(error).__name__, approval_id)
            return Metrics.PASSED_OVER

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


Mend = Callable[[str, list[str]], bool]
"""Mends the record of an id; whether something was amiss. Adds to those whose workflow is gone."""

_COUNTED = {
    "requested": Metrics.REQUESTED,
    "approved": Metrics.APPROVED,
    "rejected": Metrics.REJECTED,
    "timeout": Metrics.TIMED_OUT,
    "cancelled": Metrics.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """An audit event, its record as far as there is one, and what is announced of it."""

    approval_id: str
    event: Mapping[str, Any]
    approval: Approval | None
    announcement: Announcement


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

        What cannot be told or filed for what it is, now or ever, is counted and passed: nobody
        behind it waits.

        Returns:
            How many of the first were taken care of: the others are to be brought again.
        """
        told: list[_Told | None] = []
        records: dict[str, Approval | None] = {}
        for event in events:
            try:
                told.append(self._tell(event, records))
            except Unavailable as error:
                logger.warning("not read now: %s", error)
                break
        announced = self.announcer.announce([one.announcement for one in told if one])
        for position, one in enumerate(told):
            if one is None:
                self.meter.count(Metrics.PASSED_OVER)
                continue
            if not announced:
                return position
            announced -= 1
            try:
                self._file(one.event, one.approval)
                self._count(one.event, one.approval)
            except Unavailable as error:
                logger.warning("not filed now: %s approval_id=%s", error, one.approval_id)
                return position
            except Exception as error:  # noqa: BLE001  its own, whatever it is: the next one waits
                logger.warning(
                    "not filed: %s approval_id=%s", type(error).__name__, one.approval_id
                )
                self.meter.count(Metrics.PASSED_OVER)
        return len(told)

    def _tell(self, event: Mapping[str, Any], records: dict[str, Approval | None]) -> _Told | None:
        """What is announced of an event, without the row's fields if the row cannot be read."""
        try:
            approval_id = str(event[Audit.PARTITION_KEY])
            if approval_id not in records:
                records[approval_id] = self._find(approval_id)
            approval = records[approval_id]
            told = announce(event, approval, deployment=self.deployment)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # By the kinds of error and id only: whose text this is, nobody knows.
            logger.warning("no event of ours: %s", type(error).__name__)
            return None
        return _Told(approval_id, event, approval, told)

    def _find(self, approval_id: str) -> Approval | None:
        try:
            return self.store.get(approval_id)
        except UnreadableRecord:
            logger.warning("a row cannot be read approval_id=%s", approval_id)
            return None

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
