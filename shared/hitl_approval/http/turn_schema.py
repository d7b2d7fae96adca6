"""Whose turn it is, in the JSON API's document: as `domain.whose_turn` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.stage import Mode
from hitl_approval.domain.text import MAX_COMMENT, MAX_PERSON
from hitl_approval.domain.whose_turn import NOT_ASKED

_TEXT: Final = {"type": "string"}
_NAMES: Final = {"type": "array", "items": _TEXT}
_WHOLE: Final = {"type": "integer", "minimum": 1}


def _list_of(
    required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    item = {"type": "object", "required": list(required), "properties": properties}
    return {"type": "array", "items": item}


WHOSE_TURN: Final[Mapping[str, Any]] = {
    "stages": _list_of(
        {
            "approvers": _NAMES,
            "quorum_needed": _WHOLE,
            "state": {"enum": [*STATUSES, NOT_ASKED]},
            "votes": _list_of({"approver": _TEXT, "decision": {"enum": ["approved", "rejected"]}}),
        },
        {"timeout_seconds": _WHOLE},
    ),
    "escalation": _list_of(
        {
            "to": _NAMES,
            "mode": {"enum": list(get_args(Mode))},
            "after_seconds": _WHOLE,
            "due_at": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "null: the request has ended, or will have by then",
            },
            "taken": {"type": "boolean"},
        }
    ),
    "handed_over": _list_of({"from": _TEXT, "to": _TEXT}),
}
"""Fields of an approval that are absent where a request has no such thing."""
_NAME: Final = {"type": "string", "minLength": 1, "maxLength": MAX_PERSON}
REASSIGNMENT: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["to"],
    "additionalProperties": False,
    "properties": {
        "from": {**_NAME, "description": "whose place it is; left out: yours"},
        "to": _NAME,
        "comments": {"type": ["string", "null"], "maxLength": MAX_COMMENT},
    },
}
"""The body that hands over."""
