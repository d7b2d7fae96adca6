"""Arbitrary values, for what a test does not care about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hitl_approval.domain.approval import Approval, Transition, open_approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_numbers = count(1)

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The example of W3C Trace Context."""


def any_id() -> str:
    return f"approval-{next(_numbers)}"


def any_request(**fields: Any) -> ApprovalRequest:
    return ApprovalRequest(**{"subject": "Q4 Budget Proposal", "requester": "rita"} | fields)


def any_opening(
    *,
    request: ApprovalRequest | None = None,
    policy: Policy | None = None,
    now: datetime = NOW,
    timeout: timedelta = timedelta(hours=1),
    **fields: Any,
) -> Transition:
    request = request or any_request()
    values: dict[str, Any] = {
        "approval_id": any_id(),
        "execution_arn": "arn:aws:lambda:us-east-1:123456789012:function:f:1/durable-execution/a/b",
        "creation_token": "token-1",
        "callback_id": "callback-1",
        "approvers": tuple(request.approvers),
    }
    return open_approval(
        request, policy=policy or Policy(), timeout=timeout, now=now, **(values | fields)
    )


def any_approval(**fields: Any) -> Approval:
    return any_opening(**fields).after


def declared(name: str) -> Actor:
    return Actor(name, "declared")


def a_document(**fields: Any) -> dict[str, Any]:
    return {
        "document_id": "doc-123",
        "document_name": "Q4 Budget Proposal",
        "requester": "user@example.com",
    } | fields
