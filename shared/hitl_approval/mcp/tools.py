"""The tools: ask, see how it stands, withdraw. None of them decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.start import ANYTHING_FIELDS, BUSINESS_HOURS
from hitl_approval.mcp import asking
from hitl_approval.mcp.caller import Caller
from hitl_approval.mcp.shown import OUTPUT_SCHEMA

KEY: Final = "idempotency_key"
MAX_KEY: Final = 200
"""Longest key of a request, in characters."""
_NAMES: Final = {"type": "array", "items": {"type": "string"}}
_STEPS: Final = {"type": "array", "items": {"type": "object"}}
_SECONDS: Final = {"type": "integer", "minimum": 1}

TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "subject": {"type": "string", "minLength": 1, "maxLength": text.MAX_LINE},
    "supersedes": {"type": "string"},
    "approvers": {**_NAMES, "minItems": 1},
    "stages": _STEPS,
    "escalation": _STEPS,
    "timeout_seconds": _SECONDS,
    "reminder_seconds": {"type": "array", "items": _SECONDS},
    "context": {"type": "object"},
    "sensitive": _NAMES,
    "files": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name", "sha256", "size"],
            "properties": {
                "name": {"type": "string"},
                "sha256": {"type": "string"},
                "size": {"type": "integer", "minimum": 0},
            },
        },
    },
    "form": {"type": "object"},
    "editable": _NAMES,
}
"""What a model may give of a request, by its field in the event."""
NOT_OF_A_MODEL: Final = ("requester", "traceparent")
"""The fields that it may not give: who asks, and which trace the request belongs to."""

_ID: Final[Mapping[str, Any]] = {
    "type": "object",
    "required": ["approval_id"],
    "additionalProperties": False,
    "properties": {
        "approval_id": {"type": "string", "description": "as request_approval has said it"}
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool.

    Attributes:
        name: of the tool.
        title: for people.
        description: for models.
        schema: of its arguments.
        run: what it does for a caller; the record's view.
        reads: whether it changes nothing.
        destroys: whether it ends something.
        repeats: whether doing it again changes nothing more.
    """

    name: str
    title: str
    description: str
    schema: Mapping[str, Any]
    run: Callable[[Caller, Mapping[str, Any]], Mapping[str, Any]]
    reads: bool = False
    destroys: bool = False
    repeats: bool = True

    def definition(self) -> dict[str, Any]:
        """As `tools/list` has it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": dict(self.schema),
            "outputSchema": dict(OUTPUT_SCHEMA),
            "annotations": {
                "readOnlyHint": self.reads,
                "destructiveHint": self.destroys,
                "idempotentHint": self.repeats,
                "openWorldHint": True,
            },
        }

    def call(self, caller: Caller, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run it.

        Raises:
            ApprovalError: the arguments do not fit, or it was refused.
        """
        known = self.schema["properties"]
        for name in arguments:
            if name == "requester":
                raise InvalidRequest(name, f"must be left out: you are {caller.name}")
            if name not in known:
                rule = f"is no argument of {self.name} ({', '.join(known)})"
                raise InvalidRequest(text.field_name(name), rule)
        for name in self.schema["required"]:
            if name not in arguments:
                raise InvalidRequest(name, "is required")
        return self.run(caller, arguments)


def _request(caller: Caller, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    given = dict(arguments)
    key = given.pop(KEY, None)
    if key is not None:
        key = text.line(key, KEY, maximum=MAX_KEY)
    return asking.ask(caller, given, key)


def _get(caller: Caller, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return asking.own(caller, arguments["approval_id"])


def _withdraw(caller: Caller, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    reason = arguments.get("reason")
    reason = "" if reason is None else text.comment(reason, "reason")
    return asking.withdraw(caller, arguments["approval_id"], reason)


def _request_schema() -> Mapping[str, Any]:
    properties: dict[str, Any] = {
        name: {**schema, "description": ANYTHING_FIELDS[name].described}
        for name, schema in TYPES.items()
    }
    properties[BUSINESS_HOURS] = {
        "type": "object",
        "required": ["hours", "zone"],
        "properties": {"hours": {"type": "number"}, "zone": {"type": "string"}},
        "description": "Time to decide of which only business hours count, instead of "
        "timeout_seconds.",
    }
    properties[KEY] = {
        "type": "string",
        "maxLength": MAX_KEY,
        "description": "Of your choice: sent again with the same arguments, people are not asked "
        "a second time.",
    }
    return {
        "type": "object",
        "required": ["subject"],
        "additionalProperties": False,
        "properties": properties,
    }


REQUEST: Final = Tool(
    name="request_approval",
    title="Ask people for an approval",
    description="Ask people to approve something before you do it. Say in subject what you want to "
    "do, and in context everything that they need to judge it. People decide elsewhere, which may "
    "take hours: the answer is pending at first, and you must not go on until it says approved. "
    "You cannot approve anything yourself.",
    schema=_request_schema(),
    run=_request,
    repeats=False,
)
GET: Final = Tool(
    name="get_approval",
    title="See how a request stands",
    description="How a request of yours stands: pending, approved, rejected, timeout or cancelled, "
    "by whom and why. Only approved means that you may go on, with exactly what was approved.",
    schema=_ID,
    run=_get,
    reads=True,
)
WITHDRAW: Final = Tool(
    name="withdraw_approval",
    title="Withdraw a request",
    description="Withdraw a request of yours that nobody has decided yet, because it is not needed "
    "any more.",
    schema={
        **_ID,
        "properties": {
            **_ID["properties"],
            "reason": {"type": "string", "description": "why, for the people who were asked"},
        },
    },
    run=_withdraw,
    destroys=True,
)
TOOLS: Final[Mapping[str, Tool]] = {tool.name: tool for tool in (REQUEST, GET, WITHDRAW)}
"""All of them, by name."""


def definitions() -> Sequence[dict[str, Any]]:
    """As `tools/list` has them."""
    return [tool.definition() for tool in TOOLS.values()]
