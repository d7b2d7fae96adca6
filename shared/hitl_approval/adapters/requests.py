"""Asks a deployment through its request function."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from hitl_approval.adapters.aws import CALL_ERRORS, is_transient, unavailable
from hitl_approval.adapters.system import SystemClock
from hitl_approval.domain.approval import Status
from hitl_approval.domain.asked import to_json
from hitl_approval.domain.errors import ApprovalError, Unanswered
from hitl_approval.domain.outcome import Snapshot
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.ports.requests import Found, Submission

PROTOCOL: Final = 1
"""Of the messages: raised when an older function could not answer them rightly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFunctionClient:
    """See `ports.Requests`.

    Attributes:
        client: of Lambda.
        sender: the same, which never tries again by itself: for what reaches people.
        function: the alias of the request function that this function may invoke, which says who
            asks.
    """

    client: Any
    sender: Any
    function: str

    def check(self, request: ApprovalRequest, timeout: timedelta, members: Found | None) -> None:
        """See `ports.Requests.check`: the function alone knows what the deployment can hold."""

    def now(self) -> datetime:
        """See `ports.Requests.now`."""
        return SystemClock().now()

    def submit(self, key: RequestKey, submission: Submission) -> Snapshot:
        """See `ports.Requests.submit`."""
        members = submission.members
        values: Snapshot = self._ask(
            "submit",
            key,
            request=to_json(submission.request),
            timeout_seconds=int(submission.timeout.total_seconds()),
            members=None if members is None else dict(members),
            creation_token=submission.creation_token,
            callback_id=submission.callback_id,
            **({"counted": submission.counted.to_dict()} if submission.counted else {}),
        )
        return values

    def notify(self, key: RequestKey) -> None:
        """See `ports.Requests.notify`."""
        self._invoke(self.sender, "notify", _named(key))

    def note_notification_failed(self, key: RequestKey, reason: str) -> None:
        """See `ports.Requests.note_notification_failed`."""
        self._ask("note_notification_failed", key, reason=reason)

    def register_callback(self, key: RequestKey, callback_id: str) -> Snapshot:
        """See `ports.Requests.register_callback`."""
        return cast(Snapshot, self._ask("register_callback", key, callback_id=callback_id))

    def check_status(self, key: RequestKey) -> Snapshot:
        """See `ports.Requests.check_status`."""
        return cast(Snapshot, self._ask("check_status", key))

    def read_context(self, key: RequestKey) -> str:
        """See `ports.Requests.read_context`."""
        return cast(str, self._ask("read_context", key))

    def abandon(self, key: RequestKey, creation_token: str) -> None:
        """See `ports.Requests.abandon`."""
        self._ask("abandon", key, creation_token=creation_token)

    def withdraw(self, execution_arn: str, approval: str, reason: str) -> Status | None:
        """See `ports.Requests.withdraw`."""
        values = {"execution_arn": execution_arn, "approval": approval, "reason": reason}
        return cast("Status | None", self._invoke(self.client, "withdraw", values))

    def _ask(self, operation: str, key: RequestKey, **values: Any) -> Any:
        return self._invoke(self.client, operation, {**_named(key), **values})

    def _invoke(self, client: Any, operation: str, values: dict[str, Any]) -> Any:
        message = {"protocol": PROTOCOL, "operation": operation, **values}
        try:
            answer = client.invoke(FunctionName=self.function, Payload=json.dumps(message))
            said = json.loads(answer["Payload"].read())
        except CALL_ERRORS as error:
            if is_transient(error):
                raise unavailable("Lambda", error) from error
            raise
        if "FunctionError" in answer:
            reason = str(said.get("errorType", answer["FunctionError"]))
            raise Unanswered(f"the request function failed: {reason}", reason=reason)
        if "error" in said:
            raise ApprovalError.from_dict(said)
        return said["answer"]


def _named(key: RequestKey) -> dict[str, Any]:
    return {"execution_arn": key.execution_arn, "key": key.key}
