"""The packaged workflow: a document waits for its approval."""

from __future__ import annotations

import json
from typing import Any

from aws_durable_execution_sdk_python import DurableContext

from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.document import parse_document
from hitl_approval.waiting import wait_for_approval


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
    outcome = wait_for_approval(context, request, name=DOCUMENT_APPROVAL)
    body = {
        "approval_id": outcome.approval_id,
        "document_id": request.document_id,
        "decision": outcome.status,
        "comments": outcome.comments,
        "decided_by": outcome.decided_by,
        "decided_at": isoformat(outcome.decided_at),
    }
    return {"statusCode": 200, "body": json.dumps(body)}
