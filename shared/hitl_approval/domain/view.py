"""An approval as callers see it: JSON values, no callback ids, no tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hitl_approval.contract import Audit, Table
from hitl_approval.domain.approval import Approval, Vote, digest_context
from hitl_approval.domain.audit import Actor, isoformat, parse_time
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.edit import CHANGES, changes_view
from hitl_approval.domain.form import INPUT
from hitl_approval.domain.masking import is_shown_all, masked_values, shown_to
from hitl_approval.domain.message import Message
from hitl_approval.domain.request import repeated_content
from hitl_approval.domain.standing import standing
from hitl_approval.domain.voting import may_still_answer
from hitl_approval.domain.whose_turn import whose_turn


def view(
    approval: Approval, actor: Actor | None = None, *, stands_in: bool = False
) -> dict[str, Any]:
    """The public view of a record, its context and the code of its links included.

    Args:
        approval: the record.
        actor: who sees it; of what is sensitive the one who was not asked sees nothing.
        stands_in: whether they may answer it by a delegation.
    """
    whole = is_shown_all(approval, actor, stands_in=stands_in)
    optional = {
        "challenge": approval.challenge,
        "sensitive": list(approval.sensitive),
        "files": list(approval.files),
        "superseded_by": approval.superseded_by,
        "form": approval.form and approval.form.to_json(),
        "editable": list(approval.editable),
        "traceparent": approval.traceparent,
        "changes": _of_whom(approval, changes_view(approval.changes), whole=whole),
    }
    return {
        **summary(approval, whole=whole),
        **{name: value for name, value in optional.items() if value},
        "standing": standing(approval),
        "may_still_answer": list(may_still_answer(approval)),
        "context": shown_to(approval, actor, stands_in=stands_in),
        **whose_turn(approval),
        "context_digest": digest_context(approval),
    }


def summary(approval: Approval, *, whole: bool = False) -> dict[str, Any]:
    """The public view without the context.

    Args:
        approval: the record.
        whole: whether who sees it sees what is sensitive of what was filled in.
    """
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
        "votes": [_vote_shown(approval, vote, whole=whole) for vote in approval.votes],
        "execution_arn": approval.execution_arn,
        **({"rule": approval.rule.to_dict()} if approval.rule else {}),
    }


def delegation_view(delegation: Delegation) -> dict[str, Any]:
    """A delegation as JSON values, and whose it is."""
    return {"giver": delegation.giver, **delegation.to_dict()}


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


def _vote_shown(approval: Approval, vote: Vote, *, whole: bool) -> dict[str, Any]:
    shown = vote_view(vote)
    if vote.input is not None:
        shown[INPUT] = _of_whom(approval, vote.input, whole=whole)
    return shown


def _of_whom(approval: Approval, values: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    return dict(values) if whole else masked_values(values, approval.sensitive)


def event_view(
    event: Mapping[str, Any], approval: Approval | None, actor: Actor | None
) -> Mapping[str, Any]:
    """An audit event as somebody sees it: what is sensitive is masked where they do not see it.

    Args:
        event: as it is stored.
        approval: the record; None where it cannot be read, or is gone.
        actor: who sees it.
    """
    details = event.get("details")
    if not isinstance(details, Mapping):
        return event
    values = {name: details[name] for name in (INPUT, CHANGES) if name in details}
    reads_all = actor is None or not actor.verified
    if not values or (is_shown_all(approval, actor) if approval else reads_all):
        return event
    hidden = None if approval is None else approval.sensitive
    salts = {Audit.SALTS}  # by which a masked value could be tried out against the event's hash
    kept = {name: value for name, value in event.items() if name not in salts}
    return {**kept, "details": {**details, **sent_values(values, hidden)}}


def sent_values(
    values: Mapping[str, Any], hidden: Sequence[str] | None
) -> dict[str, dict[str, Any]]:
    """What an event says was filled in and changed, as it is sent out.

    Args:
        values: by `input` and `changes`.
        hidden: what is sensitive; None where nobody knows, and then all is.
    """
    return {
        name: masked_values(of, of if hidden is None else hidden)
        for name, of in values.items()
        if isinstance(of, Mapping)
    }


def vote_view(vote: Vote) -> dict[str, Any]:
    """One vote as JSON values."""
    optional = {} if vote.input is None else {INPUT: dict(vote.input)}
    return {
        "approver": vote.approver,
        "identity": vote.identity,
        "decision": vote.decision,
        "comments": vote.comments,
        "at": isoformat(vote.at),
        **optional,
        **({"on_behalf_of": vote.on_behalf_of} if vote.on_behalf_of else {}),
    }
