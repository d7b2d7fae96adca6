"""How a wait asks its deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hitl_approval.domain.approval import Status
from hitl_approval.domain.business_hours import Counted
from hitl_approval.domain.outcome import Snapshot
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_key import RequestKey

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
