"""An approval as callers see it: JSON values, no callback ids, no tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.contract import Table
from hitl_approval.domain.approval import Approval, Vote
from hitl_approval.domain.audit import Actor, isoformat, parse_time
from hitl_approval.domain.masking import shown_to
from hitl_approval.domain.message import Message
from hitl_approval.domain.request import repeated_content
from hitl_approval.domain.standing import standing
from hitl_approval.domain.voting import may_still_answer
from hitl_approval.domain.whose_turn import whose_turn


def view(approval: Approval, actor: Actor | None = None) -> dict[str, Any]:
    """The public view of a record, its context and the code of its links included.

    Args:
        approval: the record.
        actor: who sees it; of what is sensitive the one who was not asked sees nothing.
    """
    optional = {"challenge": approval.challenge, "sensitive": list(approval.sensitive)}
    return {
        **summary(approval),
        **{name: value for name, value in optional.items() if value},
        "standing": standing(approval),
        "may_still_answer": list(may_still_answer(approval)),
        **whose_turn(approval),
        "context": shown_to(approval, actor),
    }


def summary(approval: Approval) -> dict[str, Any]:
    """The public view without the context."""
    decision = None if approval.pending else approval.status
    return {
        "approval_id": approval.approval_id,
        "status": approval.status,
        **repeated_content(approval),
        "approvers": list(approval.asked),
        "quorum_needed": approval.approvals_needed,
        "content_digest": approval.content_digest,
        "created_at": isoformat(approval.created_at),
        "expires_at": isoformat(approval.expires_at),
        "decision": decision,
        "decided_by": approval.decided_by,
        "comments": approval.comments,
        "decided_at": isoformat(approval.decided_at) if approval.decided_at else None,
        "votes": [vote_view(vote) for vote in approval.votes],
        "execution_arn": approval.execution_arn,
    }


def message_view(message: Message) -> dict[str, Any]:
    """What became of a message to one person, as JSON values; no links."""
    return {
        "recipient": message.recipient,
        "kind": message.kind,
        "channel": message.channel,
        "state": message.state,
        "attempts": message.attempts,
        "sent_at": isoformat(message.sent_at) if message.sent_at else None,
        "next_try_at": isoformat(message.due) if message.due else None,
        "reason": message.reason or None,
    }


UNREADABLE = "(this record cannot be read: hitl audit verify says why)"
"""The subject of a row in a list whose content nobody can read."""


def listed(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row as a list shows it; of one that cannot be read its keys, and that it is one.

    What a row says twice is taken from where the trail is held against it.
    """
    texts = ("subject", "requester")
    try:
        readable = all(isinstance(row[name], str) for name in texts)
        readable &= isinstance(row["approvers"], list)
        for name in (Table.CREATED_AT, "expires_at", "decided_at"):
            if name != "decided_at" or name in row:
                parse_time(row[name])
    except (KeyError, TypeError, ValueError):
        readable = False
    if readable:
        repeated = {"decision": row[Table.STATUS], "document_name": row["subject"]}
        return {**row, **{name: value for name, value in repeated.items() if name in row}}
    keys = {name: row[name] for name in (Table.PARTITION_KEY, Table.STATUS, Table.CREATED_AT)}
    return {
        **keys,
        "subject": UNREADABLE,
        "requester": "",
        "approvers": [],
        "expires_at": row[Table.CREATED_AT],
        "decided_by": None,
        "decided_at": row[Table.CREATED_AT],
    }


def entry(approval: Approval) -> dict[str, Any]:
    """What an approver's inbox shows of a request; none of it changes while it is pending."""
    return {
        "approval_id": approval.approval_id,
        "subject": approval.subject,
        "requester": approval.requester,
        "created_at": isoformat(approval.created_at),
        "expires_at": isoformat(approval.expires_at),
        **({"document_id": approval.document_id} if approval.document_id else {}),
    }


def vote_view(vote: Vote) -> dict[str, Any]:
    """One vote as JSON values."""
    return {
        "approver": vote.approver,
        "identity": vote.identity,
        "decision": vote.decision,
        "comments": vote.comments,
        "at": isoformat(vote.at),
    }
