"""What the event bus gets: one event for each transition of an approval, in one shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hitl_approval.contract import Events
from hitl_approval.domain.approval import Approval, digest_context
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.edit import CHANGES
from hitl_approval.domain.form import INPUT
from hitl_approval.domain.request import CONTENT
from hitl_approval.domain.view import sent_values

_DETAIL_TYPES = {
    "requested": Events.REQUESTED,
    "voted": Events.VOTED,
    "stage_opened": Events.STAGE_OPENED,
    "escalated": Events.ESCALATED,
    "reassigned": Events.REASSIGNED,
    "retracted": Events.RETRACTED,
    "approved": Events.DECIDED,
    "rejected": Events.DECIDED,
    "timeout": Events.TIMED_OUT,
    "cancelled": Events.CANCELLED,
    "notification_failed": Events.NOTIFICATION_FAILED,
    "reminded": Events.REMINDED,
    "commented": Events.COMMENTED,
}
MAX_DETAIL = 200_000
"""Longest detail, in bytes: EventBridge takes 256 KB, counting more than the detail alone."""
_ENDS = frozenset({"approved", "rejected", "timeout", "cancelled"})
FOR_WHOM = "on_behalf_of"
"""In whose place somebody has answered, which only the votes of those who stand in say."""
_OF_A_COMMENT = ("question", "answers")
"""What only the events of comments have: whether it asks, and what it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BusEvent:
    """One event for the bus.

    Attributes:
        detail_type: what happened, one of `contract.Events`.
        at: when it was committed.
        detail: JSON; its `event_id` is the same however often it is sent.
    """

    detail_type: str
    at: datetime
    detail: str


def bus_event(event: Mapping[str, Any], approval: Approval | None, *, deployment: str) -> BusEvent:
    """Tell of a committed audit event.

    Args:
        event: what `AuditEvent.to_dict` wrote.
        approval: the record, of which only what never changes is published; None if it is gone.
        deployment: tells deployments on one bus apart: the name of the approvals table.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is none of our events.
    """
    details = event["details"]
    detail = {
        "version": Events.VERSION,
        "event_id": f"{event['approval_id']}-{event['sequence']}",
        "deployment": deployment,
        "approval_id": event["approval_id"],
        "sequence": event["sequence"],
        "at": event["at"],
        "status": event["event"] if event["event"] in _ENDS else "pending",
        "actor": event["actor"],
        "identity": event["identity"],
        **{name: details[name] for name in (FOR_WHOM,) if name in details},
        "decision": details.get("decision"),
        "comments": details.get("comments"),
        **_values(details, approval),
        "reason": details.get("reason"),
        "to": details.get("to"),
        "content_digest": event["content_digest"],
        "context_digest": digest_context(approval) if approval else None,
        "files": list(approval.files) if approval else None,
        "superseded_by": details.get("superseded_by"),
        **{name: getattr(approval, name) if approval else None for name in CONTENT},
        "approvers": list(approval.approvers) if approval else None,
        "created_at": isoformat(approval.created_at) if approval else None,
        "expires_at": isoformat(approval.expires_at) if approval else None,
        "execution_arn": approval.execution_arn if approval else None,
        **({"rule": approval.rule.to_dict()} if approval and approval.rule else {}),
        **({"traceparent": approval.traceparent} if approval and approval.traceparent else {}),
        **_of_comment(event),
    }
    text = json.dumps(detail, ensure_ascii=False)
    if len(text.encode()) > MAX_DETAIL:
        msg = "too long for an event"
        raise ValueError(msg)
    return BusEvent(
        detail_type=_DETAIL_TYPES[event["event"]], at=parse_time(event["at"]), detail=text
    )


def _values(details: Mapping[str, Any], approval: Approval | None) -> dict[str, Any]:
    """What was filled in and changed, but what is sensitive; of an unread record, nothing."""
    given = {name: details[name] for name in (INPUT, CHANGES) if name in details}
    return sent_values(given, None if approval is None else approval.sensitive)


def _of_comment(event: Mapping[str, Any]) -> dict[str, Any]:
    """What the event of a comment says beside its text; of other events nothing."""
    if event["event"] != "commented":
        return {}
    return {name: event["details"].get(name) for name in _OF_A_COMMENT}
