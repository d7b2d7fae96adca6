"""Answers those who ask through the deployment's request function, each for its own executions.

Who asks is proved by IAM: each may invoke one alias of the function, which is named after it, and
no other. It is answered for executions of the function of that name, whose ids are derived here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from hitl_approval.adapters.requests import PROTOCOL
from hitl_approval.contract import MAX_EXECUTION_SECONDS
from hitl_approval.domain import text
from hitl_approval.domain.asked import from_json
from hitl_approval.domain.business_hours import Counted
from hitl_approval.domain.errors import ApprovalError, Forbidden, InvalidRequest
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.domain.request_values import seconds
from hitl_approval.ports.requests import Found, Requests, Submission

logger = logging.getLogger(__name__)

MAX_TEXT: Final = 2_048
"""Longest callback id, token, ARN and name, in characters: longer than any that Lambda makes."""
_LONE = re.compile("[\ud800-\udfff]")
_PRINTABLE = re.compile("[ -~]+")
_EXECUTION: Final = re.compile(
    r"(?:\$LATEST(?:\.PUBLISHED)?|[0-9]+)/durable-execution/[A-Za-z0-9_-]+/[A-Za-z0-9_-]+"
)
"""What follows a function's name in the ARN of an execution (Lambda API reference). Of another one
Lambda would never say that it has ended, and the sweep would go on to ask."""
_QUALIFIED: Final = 8
"""Parts of the ARN of a function's alias or version."""


def answer(event: Any, invoked_arn: str, requests: Requests) -> dict[str, Any]:
    """Answer one message.

    Args:
        event: the message.
        invoked_arn: what was invoked: the alias of who asks.
        requests: the deployment.

    Returns:
        `answer`, or `error` as `ApprovalError.to_dict` writes it.
    """
    try:
        return {"answer": _answered(_Message(event), invoked_arn, requests)}
    except ApprovalError as error:
        logger.info("refused: %s", error.code)
        return error.to_dict()


class _Message:
    """What an asker has sent: nothing of it is believed."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, Mapping):
            raise InvalidRequest("event", f"must be an object, got {text.kind(values)}")
        self.values = values
        if values.get("protocol") != PROTOCOL:
            rule = f"must be {PROTOCOL}, got {text.shown(values.get('protocol'))}"
            raise InvalidRequest("protocol", f"{rule}: deploy both with one version")

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
            raise InvalidRequest(name, f"must be a string of 1 to {MAX_TEXT} characters")
        if _LONE.search(value):
            raise InvalidRequest(name, "contains a lone surrogate")
        return value

    def identifier(self, name: str) -> str:
        """What Lambda and the runtime have drawn, as the record keeps it and Lambda takes it."""
        value = self.text(name)
        if not _PRINTABLE.fullmatch(value):
            raise InvalidRequest(name, "must be printable ASCII")
        return value

    def callback_id(self) -> str | None:
        name = "callback_id"
        return None if self.values.get(name) is None else self.identifier(name)

    def counted(self) -> Counted | None:
        if self.values.get("counted") is None:
            return None
        try:
            return Counted.from_dict(self.values["counted"])
        except ValueError as error:
            raise InvalidRequest("counted", str(error)) from None

    def members(self) -> Found | None:
        found = self.values.get("members")
        if found is None or isinstance(found, Mapping):
            return found
        raise InvalidRequest("members", f"must be an object, got {text.kind(found)}")


def _answered(message: _Message, invoked_arn: str, requests: Requests) -> Any:
    execution_arn = message.text("execution_arn")
    _check_asker(execution_arn, invoked_arn)
    operation = message.text("operation")
    if operation == "withdraw":
        reason = text.comment(message.values.get("reason"), "reason")
        return requests.withdraw(execution_arn, message.text("approval"), reason)
    known = _OPERATIONS.get(operation)
    if known is None:
        raise InvalidRequest("operation", f"must be one of {', '.join(_OPERATIONS)}, withdraw")
    return known(requests, RequestKey(execution_arn, message.text("key")), message)


def _submit(requests: Requests, key: RequestKey, message: _Message) -> Any:
    timeout = seconds(message.values.get("timeout_seconds"), "timeout_seconds")
    if timeout.total_seconds() > MAX_EXECUTION_SECONDS:
        raise InvalidRequest("timeout_seconds", f"must be at most {MAX_EXECUTION_SECONDS}")
    submission = Submission(
        request=from_json(message.values.get("request")),
        timeout=timeout,
        members=message.members(),
        creation_token=message.identifier("creation_token"),
        callback_id=message.callback_id(),
        counted=message.counted(),
    )
    return requests.submit(key, submission)


_OPERATIONS: Final[Mapping[str, Callable[[Requests, RequestKey, _Message], Any]]] = {
    "submit": _submit,
    "notify": lambda requests, key, _: requests.notify(key),
    "note_notification_failed": lambda requests, key, message: requests.note_notification_failed(
        key, message.text("reason")
    ),
    "register_callback": lambda requests, key, message: requests.register_callback(
        key, message.identifier("callback_id")
    ),
    "check_status": lambda requests, key, _: requests.check_status(key),
    "read_context": lambda requests, key, _: requests.read_context(key),
    "abandon": lambda requests, key, message: requests.abandon(
        key, message.identifier("creation_token")
    ),
}


def _check_asker(execution_arn: str, invoked_arn: str) -> None:
    """Refuse who asks for an execution that is not its own.

    Raises:
        Forbidden: what was invoked is no asker's alias, or another one's.
    """
    parts = invoked_arn.split(":")
    if len(parts) != _QUALIFIED:
        raise Forbidden("who asks is not known: invoke the alias that attach has made")
    *function, _, asker = parts
    own = f"{':'.join(function)}:{asker}:"
    if not execution_arn.startswith(own) or not _EXECUTION.fullmatch(execution_arn, len(own)):
        raise Forbidden("this execution is not one of the function that may ask by this alias")
