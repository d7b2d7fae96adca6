"""The packaged workflow's event: a document, or anything else, that wants approval."""

from __future__ import annotations

from typing import Any

from hitl_approval.contract import TASK_TOKEN
from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import ApprovalRequest, context_json, seconds, validate_names

_DOCUMENT = ("document_id", "document_name", "requester")
_ANYTHING = ("subject", "requester")
_OPTIONAL = ("timeout_seconds", "approvers", "context", TASK_TOKEN)
_MAX_TOKEN = 2_048
"""Longest task token, in characters (Step Functions API reference, SendTaskSuccess)."""


def parse_document(event: Any) -> ApprovalRequest:
    """Read the event of the packaged workflow: of a document, or with a `subject` of anything.

    Raises:
        InvalidRequest: naming the field and the rule. An unknown field is refused: a misspelt
            `approvers` must not let anyone approve.
    """
    if not isinstance(event, dict):
        raise InvalidRequest("event", f"must be an object, got {text.kind(event)}")
    required = _ANYTHING if "subject" in event else _DOCUMENT
    for name in required:
        if name not in event:
            raise InvalidRequest(name, "is required")
    fields = {*required, *_OPTIONAL}
    unknown = sorted(set(event) - fields)
    if unknown:
        rule = f"is not a field of this workflow ({', '.join(sorted(fields))})"
        raise InvalidRequest(text.field_name(unknown[0]), rule)
    approvers: tuple[str, ...] = ()
    if "approvers" in event:
        approvers = validate_names(event["approvers"], "approvers")
        if not approvers:
            raise InvalidRequest("approvers", "must name at least one, or be left out")
    context = event.get("context", {})
    context_json(context)
    timeout = (
        seconds(event["timeout_seconds"], "timeout_seconds") if "timeout_seconds" in event else None
    )
    named = "subject" if "subject" in event else "document_name"
    return ApprovalRequest(
        subject=text.line(event[named], named),
        document_id=(
            text.line(event["document_id"], "document_id") if "document_id" in event else None
        ),
        requester=text.name(event["requester"], "requester"),
        approvers=approvers,
        timeout=timeout,
        context=context,
    )


def task_token(event: Any) -> str | None:
    """The token of the state machine's task that waits, if one does.

    Raises:
        InvalidRequest: it is no token.
    """
    token = event.get(TASK_TOKEN) if isinstance(event, dict) else None
    if token is None:
        return None
    if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN:
        raise InvalidRequest(TASK_TOKEN, "must be a token of Step Functions")
    return token
