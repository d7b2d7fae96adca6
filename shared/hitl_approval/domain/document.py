"""The packaged workflow's event: a document that wants approval."""

from __future__ import annotations

from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import ApprovalRequest, context_json, people, seconds

_FIELDS = frozenset(
    {"document_id", "document_name", "requester", "timeout_seconds", "approvers", "context"}
)


def parse_document(event: Any) -> ApprovalRequest:
    """Read the event of the document workflow.

    Raises:
        InvalidRequest: naming the field and the rule. An unknown field is refused: a misspelt
            `approvers` must not let anyone approve.
    """
    if not isinstance(event, dict):
        raise InvalidRequest("event", f"must be an object, got {text.kind(event)}")
    for name in ("document_id", "document_name", "requester"):
        if name not in event:
            raise InvalidRequest(name, "is required")
    unknown = sorted(set(event) - _FIELDS)
    if unknown:
        rule = f"is not a field of this workflow ({', '.join(sorted(_FIELDS))})"
        raise InvalidRequest(text.field_name(unknown[0]), rule)
    approvers: tuple[str, ...] = ()
    if "approvers" in event:
        approvers = people(event["approvers"], "approvers")
        if not approvers:
            raise InvalidRequest("approvers", "must name at least one, or be left out")
    context = event.get("context", {})
    context_json(context)
    timeout = (
        seconds(event["timeout_seconds"], "timeout_seconds") if "timeout_seconds" in event else None
    )
    return ApprovalRequest(
        subject=text.line(event["document_name"], "document_name"),
        document_id=text.line(event["document_id"], "document_id"),
        requester=text.line(event["requester"], "requester", maximum=text.MAX_PERSON),
        approvers=approvers,
        timeout=timeout,
        context=context,
    )
