"""Asks a deployment that this process belongs to, with the deployment's own rights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hitl_approval.domain.approval import Approval, Status
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import check_choice, expand, members_of
from hitl_approval.domain.outcome import Snapshot, snapshot_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.ports import Found, Submission
from hitl_approval.usecases.request import RequestService, ResolvedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a deployment says where a request does not.

    Attributes:
        approvers: who may decide.
        groups: the people that each group's name stands for.
        policy: the rules.
        reminders: after how long who has not answered is reminded; None: as the time to decide
            says.
        page: whether there is one, without which nobody is reminded.
        requests_name_approvers: whether requests may name others than these.
    """

    approvers: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    reminders: Sequence[timedelta] | None = None
    page: bool = False
    requests_name_approvers: bool = False

    def resolve(
        self, request: ApprovalRequest, timeout: timedelta, members: Found | None = None
    ) -> ResolvedRequest:
        """The request as this deployment will hold it.

        Raises:
            InvalidRequest: it cannot hold it.
        """
        named = tuple(request.approvers) or tuple(self.approvers)
        found = members_of(self.groups) if members is None else members.get
        asked = expand(named, found, "approvers")
        if not self.requests_name_approvers:
            check_choice(asked, approvers=self.approvers, groups=self.groups)
            self._check_quorum(request, asked)
        rules = replace(self.policy, quorum=request.quorum) if request.quorum else self.policy
        return ResolvedRequest(
            request=request,
            approvers=asked,
            policy=rules,
            timeout=timeout,
            reminders=self._reminders(request, timeout),
        )

    def _check_quorum(self, request: ApprovalRequest, asked: Sequence[str]) -> None:
        """Where the deployment says who decides, it also says how many at least."""
        if request.quorum is None or not (self.approvers or self.groups):
            return
        deciders = self.policy.deciders(asked, request.requester)
        least, wanted = self.policy.quorum.needed(deciders), request.quorum.needed(deciders)
        if wanted < least:
            raise InvalidRequest(
                "quorum",
                f"must be at least the deployment's, {least}, got {wanted}: leave it out, or "
                f"deploy with requests_name_approvers=True",
            )

    def _reminders(self, request: ApprovalRequest, timeout: timedelta) -> tuple[timedelta, ...]:
        if not self.page:
            if request.reminders:
                raise InvalidRequest("reminders", "need a deployment with a page")
            return ()
        return request.reminders_or(self.reminders, timeout)


@dataclass(slots=True)
class DirectRequests:
    """See `ports.Requests`. One for each wait: it remembers what it has just written.

    Attributes:
        service: of the deployment.
        defaults: the deployment's.
    """

    service: RequestService
    defaults: Defaults
    _written: Approval | None = None

    def check(self, request: ApprovalRequest, timeout: timedelta, members: Found | None) -> None:
        """See `ports.Requests.check`."""
        self.defaults.resolve(request, timeout, members)

    def submit(self, key: RequestKey, submission: Submission) -> Snapshot:
        """See `ports.Requests.submit`."""
        self._written = self.service.submit(
            self.defaults.resolve(submission.request, submission.timeout, submission.members),
            approval_id=key.approval_id,
            execution_arn=key.execution_arn,
            creation_token=submission.creation_token,
            callback_id=submission.callback_id,
        )
        return self._snapshot(self._written)

    def notify(self, key: RequestKey) -> None:
        """See `ports.Requests.notify`: what was written just now is not read again."""
        written, self._written = self._written, None
        self.service.notify(key.approval_id, written)

    def note_notification_failed(self, key: RequestKey, reason: str) -> None:
        """See `ports.Requests.note_notification_failed`."""
        self.service.note_notification_failed(key.approval_id, reason)

    def register_callback(self, key: RequestKey, callback_id: str) -> Snapshot:
        """See `ports.Requests.register_callback`."""
        return self._snapshot(self.service.register_callback(key.approval_id, callback_id))

    def check_status(self, key: RequestKey) -> Snapshot:
        """See `ports.Requests.check_status`."""
        return self._snapshot(self.service.check_status(key.approval_id))

    def read_context(self, key: RequestKey) -> str:
        """See `ports.Requests.read_context`."""
        return self.service.check_status(key.approval_id).context

    def abandon(self, key: RequestKey, creation_token: str) -> None:
        """See `ports.Requests.abandon`."""
        self.service.abandon(key.approval_id, creation_token)

    def withdraw(self, execution_arn: str, approval: str, reason: str) -> Status | None:
        """See `ports.Requests.withdraw`."""
        return self.service.withdraw(approval, execution_arn=execution_arn, reason=reason)

    def _snapshot(self, approval: Approval) -> Snapshot:
        return snapshot_of(approval, now=self.service.clock.now())
