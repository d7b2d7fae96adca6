"""The values that the JSON API answers with, as schemas of its OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from hitl_approval.contract import Channel, MessageKind
from hitl_approval.domain.applied_rule import End
from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import EventName, Identity
from hitl_approval.domain.message import MessageState
from hitl_approval.domain.request import CONTENT
from hitl_approval.http.turn_schema import WHOSE_TURN
from hitl_approval.usecases.decide import Workflow

_Schema = Mapping[str, Any]


def ref(name: str) -> dict[str, str]:
    """A reference to one of `SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT = {"type": "string"}
TIME = {"type": "string", "format": "date-time"}
_NULLABLE = {"type": ["string", "null"]}
NULLABLE_TIME = {"type": ["string", "null"], "format": "date-time"}
_CURSOR = _NULLABLE | {"description": "of the next page; null after the last"}


def _object(required: _Schema, optional: _Schema | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
    }


_NAMES = {"type": "array", "items": _TEXT}
_DOCUMENT = {"document_id": _TEXT, "document_name": _TEXT}
_OPTIONAL = {
    **_DOCUMENT,
    **{name: _TEXT for name, field in CONTENT.items() if not field.required},
    "challenge": _TEXT,
    "sensitive": _NAMES,
    "rule": _object({"digest": _TEXT}, {"id": _TEXT, "end": {"enum": list(get_args(End))}}),
    "thread": {"type": "array", "items": ref("Comment")},
    "files": {
        "type": "array",
        "items": {"$ref": "#/components/schemas/File"},
    },
    "superseded_by": _TEXT,
    "form": {"type": "object", "description": "JSON Schema of what an approval must bring"},
    "editable": _NAMES,
    "changes": {
        "type": "object",
        "description": "what approvers have changed since it was asked, by path",
        "additionalProperties": _object({"before": {}, "after": {}})
        | {"type": ["object", "string"], "description": "masked where it is not for you to see"},
    },
    **WHOSE_TURN,
}
_ENTRY = {
    "approval_id": _TEXT,
    "subject": _TEXT,
    "requester": _TEXT,
    "created_at": TIME,
    "expires_at": TIME,
}
_VOTE = _object(
    {
        "approver": _TEXT,
        "identity": {"enum": list(get_args(Identity))},
        "decision": {"enum": ["approved", "rejected"]},
        "comments": _TEXT,
        "at": TIME,
    },
    {
        "input": {"type": "object", "description": "what this person has filled in"},
        "on_behalf_of": _TEXT,
    },
)
_DELEGATION = {
    "giver": _TEXT,
    "to": _TEXT,
    "from": TIME,
    "until": TIME,
    "given_by": _TEXT,
    "identity": {"enum": list(get_args(Identity))},
    "at": TIME,
}
_COMMENT = {
    "sequence": {"type": "integer", "minimum": 1},
    "author": _TEXT,
    "identity": {"enum": list(get_args(Identity))},
    "at": TIME,
    "comments": _TEXT,
    "question": {"type": "boolean"},
    "answers": {"type": ["integer", "null"]},
}
_APPROVAL = {
    **_ENTRY,
    "status": {"enum": list(STATUSES)},
    "approvers": _NAMES,
    "quorum_needed": {"type": "integer"},
    "content_digest": _TEXT,
    "decision": _NULLABLE,
    "decided_by": _NULLABLE,
    "comments": _TEXT,
    "decided_at": NULLABLE_TIME,
    "votes": {"type": "array", "items": _VOTE},
    "execution_arn": _TEXT,
    "standing": _TEXT,
    "may_still_answer": _NAMES,
    "context": {"type": "object"},
    "context_digest": _TEXT,
}
SCHEMAS: dict[str, Any] = {
    "Entry": _object(_ENTRY, {"document_id": _TEXT, "on_behalf_of": _TEXT}),
    "Delegations": _object(
        {
            "given": {"anyOf": [_object(_DELEGATION), {"type": "null"}]},
            "received": {"type": "array", "items": _object(_DELEGATION)},
        }
    ),
    "InboxPage": _object(
        {"approvals": {"type": "array", "items": ref("Entry")}, "cursor": _CURSOR}
    ),
    "Summary": _object(
        {**_ENTRY, "status": _APPROVAL["status"], "approvers": _NAMES},
        {"decision": _TEXT, "decided_by": _TEXT, "decided_at": TIME, **_DOCUMENT},
    ),
    "Page": _object({"approvals": {"type": "array", "items": ref("Summary")}, "cursor": _CURSOR}),
    "Approval": _object(
        {**_APPROVAL, "messages": {"type": "array", "items": ref("PersonalMessage")}}, _OPTIONAL
    ),
    "Reassigned": _object(_APPROVAL, _OPTIONAL),
    "PersonalMessage": _object(
        {
            "recipient": _TEXT,
            "kind": {"enum": list(get_args(MessageKind))},
            "channel": {"enum": list(get_args(Channel))},
            "state": {"enum": list(get_args(MessageState))},
            "attempts": {"type": "integer"},
            "sent_at": NULLABLE_TIME,
            "next_try_at": NULLABLE_TIME,
            "reason": _NULLABLE,
        }
    ),
    "Comment": _object(_COMMENT),
    "Said": _object(
        {
            **_APPROVAL,
            "already": {"type": "boolean", "description": "whether it was just said before"},
            "to": _NAMES | {"description": "who is sent it"},
        },
        _OPTIONAL,
    ),
    "Outcome": _object(
        {
            **_APPROVAL,
            "already": {"type": "boolean", "description": "whether it stood so before this call"},
            "workflow": {"enum": list(get_args(Workflow))},
        },
        _OPTIONAL,
    ),
    "File": _object({"name": _TEXT, "sha256": _TEXT, "size": {"type": "integer", "minimum": 0}}),
    "Event": _object(
        {
            "approval_id": _TEXT,
            "sequence": {"type": "integer", "minimum": 1},
            "event": {"enum": list(get_args(EventName))},
            "at": TIME,
            "actor": _TEXT,
            "identity": {"enum": list(get_args(Identity))},
            "content_digest": _TEXT,
            "details": {"type": "object"},
            "previous_hash": _TEXT,
            "hash": _TEXT,
        },
        {
            "signature": _TEXT,
            "salts": {"type": "object"},
            "digests": {"type": "object"},
            "erased_at": TIME,
        },
    ),
    "History": _object(
        {
            "approval_id": _TEXT,
            "events": {"type": "array", "items": ref("Event")},
            "verified": {"type": "boolean"},
            "findings": {
                "type": "array",
                "items": _object({"sequence": {"type": "integer"}, "problem": _TEXT}),
            },
        }
    ),
    "Error": _object(
        {"error": _object({"code": _TEXT, "message": _TEXT, "details": {"type": "object"}})}
    ),
    "Message": _object({"message": _NULLABLE}),
}
"""By name, as the document's `components` have them."""
