"""The packaged workflow's event: a document, or anything else, that wants approval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.contract import TASK_TOKEN
from hitl_approval.domain import text
from hitl_approval.domain.business_hours import BusinessHours, business_hours_of
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.field import Field
from hitl_approval.domain.request import FIELDS, ApprovalRequest

_DOCUMENT = ("document_id", "document_name", "requester")
_ANYTHING = ("subject", "requester")
BUSINESS_HOURS = "business_hours"
"""Field of the event: the time to decide, of which only business hours count."""
_MAX_TOKEN = 2_048
"""Longest task token, in characters (Step Functions API reference, SendTaskSuccess)."""


def parse_document(event: Any) -> ApprovalRequest:
    """Read the event of the packaged workflow: of a document, or with a `subject` of anything.

    Raises:
        InvalidRequest: naming the field and the rule. An unknown field is refused: a misspelt
            `approvers` must not let anyone approve.
    """
    if not isinstance(event, dict):
        raise InvalidRequest("event", f"must be an object, got {text.kind(event)}")
    required = _ANYTHING if "subject" in event else _DOCUMENT
    for name in required:
        if name not in event:
            raise InvalidRequest(name, "is required")
    accepted = _accepted(required)
    known = {*accepted, BUSINESS_HOURS, TASK_TOKEN}
    unknown = sorted(set(event) - known)
    if unknown:
        rule = f"is not a field of this workflow ({', '.join(sorted(known))})"
        raise InvalidRequest(text.field_name(unknown[0]), rule)
    given = {
        field.name: field.accept_from_event(event[name], name)
        for name, field in accepted.items()
        if name in event
    }
    if BUSINESS_HOURS in event:
        if "timeout" in given:
            raise InvalidRequest(
                BUSINESS_HOURS, "stands beside timeout_seconds: give one of the two"
            )
        given["timeout"] = _business_hours(event[BUSINESS_HOURS])
    return ApprovalRequest(**given)


def _business_hours(values: Any) -> BusinessHours:
    try:
        return business_hours_of(values)
    except ValueError as error:
        raise InvalidRequest(BUSINESS_HOURS, str(error)) from None


def _accepted(required: tuple[str, ...]) -> dict[str, Field]:
    """The fields that an event may have, by their names in it: these and all that are optional."""
    by_name = {field.event: field for field in FIELDS.values() if field.event}
    by_name["document_name"] = by_name["subject"]
    either = {*_DOCUMENT, *_ANYTHING}
    return {n: field for n, field in by_name.items() if n in required or n not in either}


ANYTHING_FIELDS: Mapping[str, Field] = _accepted(_ANYTHING)
"""The fields of an event with a `subject`, by their names in it."""


def task_token(event: Any) -> str | None:
    """The token of the state machine's task that waits, if one does.

    Raises:
        InvalidRequest: it is no token.
    """
    token = event.get(TASK_TOKEN) if isinstance(event, dict) else None
    if token is None:
        return None
    if not isinstance(token, str) or not 0 < len(token) <= _MAX_TOKEN:
        raise InvalidRequest(TASK_TOKEN, "must be a token of Step Functions")
    return token
