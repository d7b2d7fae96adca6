"""Records as rows of the approvals table, and rows as records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hitl_approval.contract import Table
from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.approval import STATUSES, Approval, Vote
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.edit import CHANGES, read_changes
from hitl_approval.domain.errors import UnreadableRecord
from hitl_approval.domain.escalation import needs_attention_at
from hitl_approval.domain.files import read_files
from hitl_approval.domain.form import INPUT, Form
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import CONTENT, repeated_content
from hitl_approval.domain.text import cut, kind
from hitl_approval.domain.turn import Turn
from hitl_approval.ports.records import Postponed


def new_row(approval: Approval, *, retention: timedelta) -> dict[str, Any]:
    """The row of a new record.

    Args:
        approval: the record.
        retention: how long the row stays after its expiry.
    """
    optional = {
        "callback_id": approval.callback_id,
        "challenge": approval.challenge,
        "reminders": [int(delay.total_seconds()) for delay in approval.reminders],
        "sensitive": list(approval.sensitive),
        "rule": approval.rule and approval.rule.to_dict(),
        "files": list(approval.files),
        "form": approval.form and approval.form.stored,
        "editable": list(approval.editable),
        "traceparent": approval.traceparent,
    }
    latest = approval.expires_at + sum(
        (stage.timeout or timedelta(0) for stage in approval.policy.stages), timedelta(0)
    )
    return {
        Table.PARTITION_KEY: approval.approval_id,
        Table.STATUS: approval.status,
        **repeated_content(approval),
        **{name: value for name, value in optional.items() if value},
        "approvers": list(approval.approvers),
        "policy": approval.policy.to_dict(),
        "context": approval.context,
        "content_digest": approval.content_digest,
        Table.CREATED_AT: isoformat(approval.created_at),
        "expires_at": isoformat(approval.expires_at),
        "execution_arn": approval.execution_arn,
        "creation_token": approval.creation_token,
        "version": approval.version,
        "audit_sequence": approval.audit_sequence,
        "audit_hash": approval.audit_hash,
        "votes": [],
        "comments": "",
        Table.ATTENTION: "pending",
        Table.ATTENTION_AT: isoformat(needs_attention_at(approval)),
        Table.TTL: int((latest + retention).timestamp()),
    }


PARKED_AT = datetime(9999, 12, 31, tzinfo=UTC)
"""When a parked row is due: later than any other."""


def read_postponed(row: Mapping[str, Any]) -> Postponed:
    """A postponed record as the index of what needs attention has it, whoever wrote that."""
    tries, reason = row.get(Table.ATTENTION_TRIES), row.get(Table.ATTENTION_REASON)
    try:
        until = parse_time(row[Table.ATTENTION_AT])
    except ValueError:
        until = PARKED_AT
    return Postponed(
        approval_id=row[Table.PARTITION_KEY],
        pending=row.get(Table.STATUS) == "pending",
        tries=tries if isinstance(tries, int) else 0,
        until=until if until.tzinfo and until < PARKED_AT else None,
        reason=reason if isinstance(reason, str) else None,
    )


_TEXTS = (
    *(name for name, field in CONTENT.items() if field.required),
    "context", "content_digest", "execution_arn", "creation_token", "audit_hash", "comments",
)  # fmt: skip


def read_approval(row: Mapping[str, Any]) -> Approval:
    """The record that a row holds.

    Raises:
        UnreadableRecord: it holds none, or one that this version does not understand.
    """
    try:
        for name in _TEXTS:
            if not isinstance(row[name], str):
                raise TypeError(f"{name} is {kind(row[name])}")  # noqa: TRY301
        if row[Table.STATUS] not in STATUSES:
            raise ValueError(f"status is none of {', '.join(STATUSES)}")  # noqa: TRY301
        return _approval(row)
    except KeyError as error:
        problem = f"{error.args[0]} is missing"
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        problem = str(error)
    raise UnreadableRecord(str(row.get(Table.PARTITION_KEY)), cut(problem))


def _approval(row: Mapping[str, Any]) -> Approval:
    decided_at = row.get("decided_at")
    content: dict[str, Any] = {name: row.get(name) for name in CONTENT}
    return Approval(
        approval_id=row[Table.PARTITION_KEY],
        status=row[Table.STATUS],
        **content,
        approvers=tuple(row["approvers"]),
        policy=Policy.from_dict(row["policy"]),
        context=row["context"],
        content_digest=row["content_digest"],
        created_at=parse_time(row[Table.CREATED_AT]),
        expires_at=parse_time(row["expires_at"]),
        execution_arn=row["execution_arn"],
        creation_token=row["creation_token"],
        callback_id=row.get("callback_id"),
        version=row["version"],
        audit_sequence=row["audit_sequence"],
        audit_hash=row["audit_hash"],
        votes=tuple(
            Vote(
                v["approver"],
                v["identity"],
                v["decision"],
                v["comments"],
                parse_time(v["at"]),
                v.get(INPUT),
                v.get("on_behalf_of"),
            )
            for v in row["votes"]
        ),
        decided_by=row.get("decided_by"),
        comments=row["comments"],
        decided_at=parse_time(decided_at) if decided_at else None,
        resumed=row.get("resumed", False),
        challenge=row.get("challenge"),
        reminders=tuple(timedelta(seconds=delay) for delay in row.get("reminders", ())),
        sensitive=tuple(map(str, row.get("sensitive", ()))),
        rule=AppliedRule.from_dict(row["rule"]) if "rule" in row else None,
        thread_length=int(row.get("thread_length", 0)),
        files=read_files(row.get("files", ())),
        superseded_by=row.get("superseded_by"),
        turn=Turn.from_dict(row.get("turn", {})),
        form=Form.from_json(row["form"]) if "form" in row else None,
        editable=tuple(map(str, row.get("editable", ()))),
        changes=read_changes(row.get(CHANGES, {})),
        traceparent=row.get("traceparent"),
    )
