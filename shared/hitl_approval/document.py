"""The packaged workflow: a document waits for its approval."""

from __future__ import annotations

import json
from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from hitl_approval.domain import text
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import ApprovalRequest, context_json, people, seconds
from hitl_approval.waiting import wait_for_approval

APPROVAL_NAME = "document"
"""The approval's name in its execution: callers derive its id from the execution's ARN."""

_FIELDS = frozenset(
    {"document_id", "document_name", "requester", "timeout_seconds", "approvers", "context"}
)


def review_document(event: Any, context: DurableContext) -> dict[str, Any]:
    """Ask for a document's approval and answer with the decision.

    Args:
        event: `document_id`, `document_name`, `requester`, and optionally `timeout_seconds`
            (whole seconds), `approvers` (names) and `context` (an object the approver sees).
        context: the durable context.

    Returns:
        `statusCode` 200 and a JSON `body`: approval_id, document_id, decision (`approved`,
        `rejected`, `timeout` or `cancelled`), comments, decided_by, decided_at.

    Raises:
        InvalidRequest: a field breaks its rule; nothing was written and nobody was told.
    """
    request = parse_document(event)
    outcome = wait_for_approval(context, request, name=APPROVAL_NAME)
    body = {
        "approval_id": outcome.approval_id,
        "document_id": request.document_id,
        "decision": outcome.status,
        "comments": outcome.comments,
        "decided_by": outcome.decided_by,
        "decided_at": isoformat(outcome.decided_at),
    }
    return {"statusCode": 200, "body": json.dumps(body)}


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
        shown = text.inert(unknown[0][:100], keep="")
        raise InvalidRequest(
            shown, f"is not a field of this workflow ({', '.join(sorted(_FIELDS))})"
        )
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
        requester=text.line(event["requester"], "requester"),
        approvers=approvers,
        timeout=timeout,
        context=context,
    )
