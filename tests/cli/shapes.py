"""What `--json` prints, command by command: `docs/cli.md` shows it, `test_shapes.py` checks it."""

from __future__ import annotations

RECORD = (
    "approval_id", "status", "subject", "requester", "approvers", "quorum_needed",
    "content_digest", "created_at", "expires_at", "decision", "decided_by", "comments",
    "decided_at", "votes", "execution_arn", "standing", "may_still_answer", "context",
    "context_digest",
)  # fmt: skip
"""An approval; a document's has `document_id` and `document_name` too, `challenge` where asked,
`sensitive` and `files` where there is something, `supersedes` and `superseded_by` where one
replaces another."""
ITEM = ("approval_id", "subject", "requester", "created_at", "expires_at")
"""At least, of each of a list's approvals."""
PAGE = ("approvals", "cursor")
ANSWER = (*RECORD, "already", "workflow")

SHAPES = {
    "inbox": PAGE,
    "show": (*RECORD, "messages"),
    "approve": ANSWER,
    "reject": ANSWER,
    "cancel": ANSWER,
    "comment": (*RECORD, "thread", "already", "to"),
    "submit": ("approval_id", "execution_arn"),
    "status": (
        "approval_id", "status", "decided_by", "decided_at", "expires_at", "quorum_needed", "votes",
    ),
    "verify": (
        "approval_id", "status", "verified", "problems", "content_digest", "context_digest",
        "files",
    ),
    "list": PAGE,
    "history": ("approval_id", "events", "verified", "findings"),
    "doctor": ("healthy", "checks"),
    "logs": ("approval_id", "since", "lines"),
    "reassign": (*RECORD, "handed_over"),
    "retract": ANSWER,
    "delegate": ("given", "received"),
    "remind": ("approval_id", "reminded"),
    "resume": ("approval_id", "status", "workflow"),
    "repair": ("approval_ids",),
    "drill": ("approval_id", "people"),
    "stats": ("since", "by_status", "decision_seconds", "waiting"),
    "audit verify": ("verified", "approvals", "events", "erased", "findings", "signatures",
                     "archive_objects"),
    "audit erase": ("erased", "approvals", "values", "records", "messages", "inbox_items",
                    "delegations", "refused"),
    "audit export": ("events", "file"),
    "audit key": ("key_arn", "public_key"),
    "login": ("name", "expires_at"),
    "logout": ("signed_out",),
    "slack-manifest": ("display_information", "features", "oauth_config", "settings"),
    "template": ("template", "code", "bucket"),
    "drain": ("withdrawn", "pending", "unread", "executions"),
    "policy test": ("digest", "rule", "end", "held_back", "approvers", "quorum", "rules"),
    "policy show": ("digest", "rules"),
    "local mail": ("messages",),
    "cost": ("callback", "polling", "pattern"),
}  # fmt: skip
"""Keys of the object; of the last line where there are several."""
