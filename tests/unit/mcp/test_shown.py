"""What an agent reads of a request."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.approval import STATUSES
from hitl_approval.mcp.shown import sentence, shown, tool_error, tool_result

RECORD: dict[str, Any] = {
    "approval_id": "a1",
    "status": "pending",
    "subject": "Ship it",
    "requester": "rita",
    "approvers": ["ann", "bob"],
    "expires_at": "2026-01-01T00:00:00Z",
    "decided_by": None,
    "decided_at": None,
    "comments": "",
    "execution_arn": "arn:secret",
    "context": {"card": "4111"},
}


def record(status: str, **more: Any) -> dict[str, Any]:
    return RECORD | {"status": status, "decided_by": "bob", "decided_at": "2026-01-01"} | more


@pytest.mark.parametrize("status", STATUSES)
def test_should_read_as_approved_only_where_it_is(status: str) -> None:
    said = sentence(record(status))
    assert said.startswith("APPROVED ") is (status == "approved")
    assert ("not approved" in said.lower()) is (status != "approved")
    assert shown(record(status), None)["approved"] is (status == "approved")


def test_should_say_who_is_asked_and_that_nothing_may_be_done_yet() -> None:
    said = sentence(RECORD, "https://page/approvals/a1")
    assert "waits for ann, bob until 2026-01-01T00:00:00Z" in said
    assert "https://page/approvals/a1" in said
    assert "Do not go on" in said


def test_should_say_why_and_that_values_were_changed() -> None:
    said = sentence(record("approved", comments="only 10", changes={"amount": 10}))
    assert "Comment: only 10" in said
    assert "An approver has changed values" in said


def test_should_show_neither_context_nor_execution() -> None:
    found = tool_result(RECORD, "https://page")["structuredContent"]
    assert found["page"] == "https://page"
    assert "context" not in found
    assert "execution_arn" not in found


def test_should_answer_a_refusal_as_an_error() -> None:
    assert tool_error("no") == {"content": [{"type": "text", "text": "no"}], "isError": True}
