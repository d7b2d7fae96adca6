"""The packaged workflow: a document, or anything else, waits for its approval."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepError

from hitl_approval.contract import DOCUMENT_APPROVAL
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.edit import CHANGES, changes_view
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import INPUT
from hitl_approval.domain.start import parse_document, task_token
from hitl_approval.durable.retries import patiently
from hitl_approval.durable.wait import wait_for_approval
from hitl_approval.wiring import tasks


def review_document(event: Any, context: DurableContext) -> dict[str, Any]:
    """Ask for an approval and answer with the decision.

    Args:
        event: `document_id`, `document_name` and `requester`, or `subject` and `requester`, and
            optionally the other fields of `ApprovalRequest` that an event can set (`timeout` is
            `timeout_seconds`), and `task_token` (of a Step Functions task that waits).
        context: the durable context.

    Returns:
        `statusCode` 200 and a JSON `body`: approval_id, document_id (null without a document),
        decision (`approved`, `rejected`, `timeout` or `cancelled`), comments, decided_by,
        decided_at; with a form also input, and where an approver has changed something changes.

    Raises:
        InvalidRequest: a field breaks its rule; nothing was written and nobody was notified.
    """
    token = task_token(event)
    try:
        body = _review(event, context)
    except (InvalidRequest, StepError) as error:
        if token is not None:
            kind, cause = type(error).__name__, str(error)
            _answer(context, "fail-task", lambda: tasks().fail(token, kind, cause))
        raise
    if token is not None:
        output = {**body, "approved": body["decision"] == "approved"}
        _answer(context, "answer-task", lambda: tasks().succeed(token, output))
    return {"statusCode": 200, "body": json.dumps(body)}


def _review(event: Any, context: DurableContext) -> dict[str, Any]:
    request = parse_document(event)
    outcome = wait_for_approval(context, request, name=DOCUMENT_APPROVAL)
    return {
        "approval_id": outcome.approval_id,
        "document_id": request.document_id,
        "decision": outcome.status,
        "comments": outcome.comments,
        "decided_by": outcome.decided_by,
        "decided_at": isoformat(outcome.decided_at),
        **({} if outcome.input is None else {INPUT: outcome.input}),
        **({CHANGES: changes_view(outcome.changes)} if outcome.changes else {}),
    }


def _answer(context: DurableContext, name: str, send: Callable[[], bool]) -> None:
    context.step(lambda _: send(), name=name, config=patiently())
