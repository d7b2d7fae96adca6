"""What the waiting workflow does: submit a request, notify its approvers, check its status."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from hitl_approval.contract import Metrics
from hitl_approval.domain.agreement import altered_end
from hitl_approval.domain.approval import (
    Approval,
    Status,
    Transition,
    derive_approval_id,
    open_approval,
)
from hitl_approval.domain.audit import SYSTEM, on_record
from hitl_approval.domain.ending import cancel, expire, follow_rule
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    InvalidRequest,
    RecordAltered,
    Unavailable,
    VersionConflict,
)
from hitl_approval.domain.link import entry_of, make_challenge
from hitl_approval.domain.notification import approval_needed, note_notification_failed
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.rule import Ruling
from hitl_approval.domain.superseding import supersede
from hitl_approval.domain.text import is_approval_id
from hitl_approval.domain.turn import check_reachable
from hitl_approval.ports.messages import Notifier
from hitl_approval.ports.outside import CallbackClient, Secrets
from hitl_approval.usecases.records import MAX_TRIES, Records
from hitl_approval.usecases.trail import unsigned

logger = logging.getLogger(__name__)

AGREEMENT_TRIES = 3
"""Reads of a record and its trail that do not agree: one may be newer than the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedRequest:
    """A request as this deployment will hold it, its defaults filled in.

    Raises:
        InvalidRequest: the deployment cannot hold it.
    """

    request: ApprovalRequest
    approvers: tuple[str, ...]
    policy: Policy
    timeout: timedelta
    reminders: tuple[timedelta, ...] = ()
    ruling: Ruling | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.ruling is not None and self.ruling.end is not None:
            return  # nobody is asked
        try:
            check_reachable(self.approvers, self.policy, self.request.requester)
        except ValueError as error:
            raise InvalidRequest("approvers", str(error)) from None

    def timeout_at(self, now: datetime) -> timedelta:
        """The time to decide, from a time on: what is left of it where it was counted before.

        Clocks apart make it no longer than it was counted.
        """
        if self.expires_at is None:
            return self.timeout
        return min(max(self.expires_at - now, timedelta(0)), self.timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestService(Records):
    """What the waiting workflow does.

    Attributes:
        notifier: carries the message to everybody who listens.
        secrets: what the code of the links' page is drawn from; None where it asks for none.
        callbacks: resumes the workflows whose requests were replaced. Default: they read it later.
        inbox_url: where people sign in by a browser; None where nobody can.
        stack: what `hitl --stack` takes for this deployment. Default: it finds it without.
    """

    notifier: Notifier
    secrets: Secrets | None = None
    callbacks: CallbackClient | None = None
    inbox_url: str | None = None
    stack: str | None = None

    def submit(
        self,
        resolved: ResolvedRequest,
        *,
        approval_id: str,
        execution_arn: str,
        creation_token: str,
        callback_id: str | None,
    ) -> Approval:
        """Create the record, once for each execution and creation token.

        Raises:
            InvalidRequest: another approval of the same execution has this id (a name used twice),
                or what the request wants to replace it cannot (see `supersede`).
        """
        now = on_record(self.clock.now())
        proposed = open_approval(
            resolved.request,
            approval_id=approval_id,
            execution_arn=execution_arn,
            creation_token=creation_token,
            callback_id=callback_id,
            approvers=resolved.approvers,
            policy=resolved.policy,
            timeout=resolved.timeout_at(now),
            now=now,
            challenge=self._draw_challenge(resolved),
            reminders=resolved.reminders,
            rule=resolved.ruling.applied if resolved.ruling else None,
            said=resolved.ruling.details if resolved.ruling else None,
        )
        if resolved.request.supersedes is None:
            created = self.store.create(self._sealed(proposed))
        else:
            created = self._create_instead(proposed, resolved.request.supersedes)
        if created.creation_token != creation_token:
            raise InvalidRequest(
                "name", "is used twice in this execution: give each approval its own"
            )
        trace = created.traceparent and f" traceparent={created.traceparent}"
        logger.info("requested approval_id=%s%s", approval_id, trace or "")
        if resolved.ruling is not None:
            _warn(approval_id, resolved.ruling)
        if created.pending and created.ends_by_rule:
            created, _ = self._change(
                approval_id, lambda approval: follow_rule(approval, now=self.clock.now())
            )
        return created

    def _create_instead(self, proposed: Transition, supersedes: str) -> Approval:
        """Create the record in the same transaction that ends the one which it replaces."""
        for attempt in range(1, MAX_TRIES + 1):
            replaced = self.store.get(supersedes)
            if replaced is not None and replaced.superseded_by == proposed.after.approval_id:
                created = self.get(proposed.after.approval_id)  # a try whose answer was lost
                break
            ended = supersede(replaced, proposed.after, now=self.clock.now())
            try:
                created = self.store.create_instead(self._sealed(proposed), self._sealed(ended))
            except VersionConflict:
                self.clock.pause(attempt)
                continue
            break
        else:
            raise Unavailable("the record to replace is contended: try again")
        self._resume_replaced(supersedes)
        return created

    def _resume_replaced(self, supersedes: str) -> None:
        """Resume the workflow of what was replaced; if that fails, the sweep does it later."""
        replaced = self.store.get(supersedes)
        if self.callbacks is None or replaced is None or replaced.callback_id is None:
            return
        if not replaced.pending and self.callbacks.complete(replaced.callback_id) == "delayed":
            self.meter.count(Metrics.RESUME_FAILED)

    def abandon(self, approval_id: str, creation_token: str) -> None:
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

    def withdraw(self, approval: str, *, execution_arn: str, reason: str) -> Status | None:
        """Withdraw what an execution has asked, and note that it has read how that ended.

        Args:
            approval: the name of the approval within the execution, or its id.
            execution_arn: of the execution.
            reason: on record as the comment.

        Returns:
            How the approval stands now; None if the execution has not asked under that name.

        Raises:
            InvalidRequest: another execution has asked.
        """
        found = self.store.get(derive_approval_id(execution_arn, approval))
        if found is None and is_approval_id(approval):
            found = self.store.get(approval)
        if found is None:
            return None
        if found.execution_arn != execution_arn:
            raise InvalidRequest("approval", "is another execution's, which alone withdraws it")

        def cancelled(approval: Approval) -> Transition | None:
            if not approval.pending:
                return None
            now = self.clock.now()
            return expire(approval, now=now) or cancel(approval, SYSTEM, reason, now=now)

        ended, _ = self._change(found.approval_id, cancelled)
        return self._seen(ended).status

    def notify(self, approval_id: str, written: Approval | None = None) -> None:
        """Publish a request to everybody who listens, unless it has ended meanwhile.

        One that silence has ended, its workflow being that late, counts as not notified.

        Args:
            approval_id: the record's id.
            written: the record as the caller wrote it just now, which is not read again.

        Raises:
            Unavailable: not sent now; may be tried again.
        """
        approval = written or self.get(approval_id)
        if approval.ends_by_rule:
            return
        if approval.pending:
            self.notifier.publish(
                approval_needed(
                    approval,
                    challenge=approval.challenge,
                    entry=entry_of(self.inbox_url, approval_id),
                    stack=self.stack,
                )
            )
        elif approval.decided_by == SYSTEM.name:
            self.meter.count(Metrics.NOTIFICATION_FAILED)

    def note_notification_failed(self, approval_id: str, reason: str) -> None:
        """Put on record, and on the alarm's metric, that nobody could be notified."""
        self.meter.count(Metrics.NOTIFICATION_FAILED)
        self._change(
            approval_id,
            lambda approval: note_notification_failed(approval, reason, now=self.clock.now()),
        )

    def register_callback(self, approval_id: str, callback_id: str) -> Approval:
        """Write the callback on the record; the record as it now is.

        Raises:
            RecordAltered: as `check_status` raises it.
        """
        approval = self.store.register_callback(approval_id, callback_id)
        if approval is None:
            raise ApprovalNotFound(approval_id)
        return self._seen(approval)

    def _draw_challenge(self, resolved: ResolvedRequest) -> str | None:
        """The code of the links' page, where it asks for one and anybody gets a link."""
        nobody = not resolved.approvers or (resolved.ruling and resolved.ruling.end)
        if self.secrets is None or nobody:
            return None
        return make_challenge(self.secrets.draw())

    def check_status(self, approval_id: str) -> Approval:
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
            self.store.mark_resumed(approval.approval_id)
        return approval

    def _agreed(self, approval: Approval) -> Approval:
        """A record that has ended as its trail says, signed where events are."""
        approval_id = approval.approval_id
        for attempt in range(1, AGREEMENT_TRIES + 1):
            altered = self._altered(approval)
            if not altered:
                return approval
            self.clock.pause(attempt)
            approval = self.get(approval_id)
        self.meter.count(Metrics.ALTERED_RECORD)
        logger.error("not acted on: the row is not what its trail says approval_id=%s", approval_id)
        raise RecordAltered(approval_id, altered)

    def _altered(self, approval: Approval) -> list[str]:
        """What of a record is not as its trail says, or was not signed.

        The last signature is one of the whole trail, whose events follow from each other.
        """
        events = self.store.history(approval.approval_id)
        altered = altered_end(approval, events)
        if altered:
            return altered
        return ["signature"] if unsigned(events[-1:], self.signer) else []


def _warn(approval_id: str, ruling: Ruling) -> None:
    """Say of the rules that could not be read which they are, which fields, and why."""
    for reading in ruling.readings:
        for unread in reading.unread:
            logger.warning(
                "a rule could not be read: %s: %s %s approval_id=%s",
                reading.id,
                unread.field,
                unread.why,
                approval_id,
            )
