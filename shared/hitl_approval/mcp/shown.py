"""What an agent is shown of a request of its own: values for programs, a sentence for models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hitl_approval.domain import text
from hitl_approval.domain.approval import STATUSES

_SHOWN: Final = (
    *("approval_id", "status", "subject", "requester", "approvers", "quorum_needed"),
    *("created_at", "expires_at", "decided_by", "decided_at", "comments", "votes"),
    *("context_digest", "content_digest"),
)
_WHERE_PRESENT: Final = ("changes", "superseded_by", "thread")

OUTPUT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["approval_id", "status", "approved"],
    "properties": {
        "approval_id": {"type": "string"},
        "status": {"enum": list(STATUSES)},
        "approved": {
            "type": "boolean",
            "description": "true only where people have approved: act on nothing else",
        },
        "page": {"type": "string", "description": "where people see the request and decide"},
    },
}
"""Of each tool's structured content."""


def shown(record: Mapping[str, Any], page: str | None) -> dict[str, Any]:
    """The values."""
    there = {name: record[name] for name in _WHERE_PRESENT if record.get(name)}
    return {
        **{name: record[name] for name in _SHOWN if name in record},
        "approved": record["status"] == "approved",
        **there,
        **({} if page is None else {"page": page}),
    }


def sentence(record: Mapping[str, Any], page: str | None = None) -> str:
    """How it stands, and what follows from it for whoever asked."""
    approval_id, subject = record["approval_id"], text.cut(str(record["subject"]))
    if record["status"] == "pending":
        asked = text.listed_some(record["approvers"]) or "whoever may decide"
        where = f" People decide on {page}." if page else ""
        return (
            f"PENDING, not approved: {subject!r} waits for {asked} until {record['expires_at']}."
            f"{where} Do not go on with it before get_approval says approved. "
            f"approval_id: {approval_id}"
        )
    what = {
        "approved": f"APPROVED by {record['decided_by']} at {record['decided_at']}",
        "rejected": f"REJECTED, not approved, by {record['decided_by']}",
        "timeout": "NOT APPROVED: nobody decided in time",
        "cancelled": f"NOT APPROVED: withdrawn by {record['decided_by']}",
    }[record["status"]]
    why = f" Comment: {record['comments']}" if record["comments"] else ""
    changed = " An approver has changed values: see changes." if record.get("changes") else ""
    return f"{what}: {subject!r}.{why}{changed} approval_id: {approval_id}"


def tool_result(record: Mapping[str, Any], page: str | None) -> dict[str, Any]:
    """The result of a tool that shows a request."""
    return {
        "content": [{"type": "text", "text": sentence(record, page)}],
        "structuredContent": shown(record, page),
        "isError": False,
    }


def tool_error(reason: str) -> dict[str, Any]:
    """The result of a tool that was refused."""
    return {"content": [{"type": "text", "text": reason}], "isError": True}
