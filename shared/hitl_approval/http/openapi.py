"""The JSON API as an OpenAPI document, in the limits that the code enforces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from hitl_approval.contract import Channel, MessageKind, Route
from hitl_approval.domain import text
from hitl_approval.domain.applied_rule import End
from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import EventName, Identity
from hitl_approval.domain.message import MessageState
from hitl_approval.domain.request import CONTENT
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, MAX_NUMBER, MAX_TIME
from hitl_approval.http.turn_schema import REASSIGNMENT, WHOSE_TURN
from hitl_approval.usecases.decide import Workflow

VERSION = "1"
"""Of the API: raised when a field goes or changes its meaning, not for new ones."""

_Schema = Mapping[str, Any]


def document() -> dict[str, Any]:
    """The document, as `GET /v1/openapi.json` serves it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hitl-approval",
            "version": VERSION,
            "description": "Human approvals: what awaits you, what was decided and by whom. Every "
            "call is signed in by the API's authorizer; decisions are recorded as who signed in.",
        },
        "security": [{"signIn": []}],
        "paths": {
            Route.V1_INBOX: {
                "get": _operation(
                    "What awaits your answer; what expires first comes first",
                    _ref("InboxPage"),
                    query=_PAGING,
                )
            },
            Route.V1_APPROVALS: {
                "get": _operation(
                    "Approvals of one status, newest first",
                    _ref("Page"),
                    query={
                        "status": {"enum": list(STATUSES), "default": "pending"},
                        "since": _TIME | {"maxLength": MAX_TIME},
                        "requester": _line(text.MAX_LINE),
                        "subject": _line(text.MAX_LINE),
                        **_PAGING,
                    },
                )
            },
            Route.V1_APPROVAL: {
                "parameters": [_ID],
                "get": _operation("One approval", _ref("Approval"), refusals=(404,)),
            },
            Route.V1_HISTORY: {
                "parameters": [_ID],
                "get": _operation(
                    "The audit trail of one approval, verified", _ref("History"), refusals=(404,)
                ),
            },
            Route.V1_DECISION: {
                "parameters": [_ID],
                "post": _operation(
                    "Approve or reject",
                    _ref("Outcome"),
                    body={
                        "type": "object",
                        "required": ["decision"],
                        "additionalProperties": False,
                        "properties": {
                            "decision": {"enum": ["approved", "rejected"]},
                            "comments": _COMMENTS,
                            "content_digest": {
                                "type": ["string", "null"],
                                "maxLength": 64,
                                "description": "of what was shown to you: the decision is refused "
                                "if something else stands on record; required with changes, and to "
                                "approve what was changed",
                            },
                            "input": _VALUES
                            | {"description": "what the request's form asks for, by name"},
                            "changes": _VALUES
                            | {"description": "new values of what is editable, by path"},
                        },
                    },
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_REASSIGNMENT: {
                "parameters": [_ID],
                "post": _operation(
                    "Ask somebody else in an approver's place: for the approver, for operators, "
                    "and for who asked where the deployment lets them choose who decides",
                    _ref("Reassigned"),
                    body=REASSIGNMENT,
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_RETRACTION: {
                "parameters": [_ID],
                "post": _operation(
                    "Take your own answer back, while it has not been acted on",
                    _ref("Outcome"),
                    body={"type": "object", "additionalProperties": False, "properties": {}},
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_CANCELLATION: {
                "parameters": [_ID],
                "post": _operation(
                    "Withdraw a request: for who asked for it, and for its approvers",
                    _ref("Outcome"),
                    body={
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"comments": _COMMENTS},
                    },
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_DELEGATION: {
                "get": _operation(
                    "Who answers for you, and for whom you do",
                    _ref("Delegations"),
                    query=_FOR,
                    refusals=(403,),
                ),
                "post": _operation(
                    "Let another person answer what you are asked, in place of who did before",
                    _ref("Delegations"),
                    body={
                        "type": "object",
                        "required": ["to", "until"],
                        "additionalProperties": False,
                        "properties": {
                            "to": _line(text.MAX_PERSON),
                            "from": _NULLABLE_TIME | {"maxLength": MAX_TIME},
                            "until": _TIME | {"maxLength": MAX_TIME},
                            **_FOR,
                        },
                    },
                    refusals=(403, 415),
                ),
                "delete": _operation(
                    "Answer for yourself again",
                    _ref("Delegations"),
                    query=_FOR,
                    refusals=(403,),
                ),
            },
            Route.V1_COMMENTS: {
                "parameters": [_ID],
                "post": _operation(
                    "Ask the requester, answer a question, or comment; nothing is decided by it",
                    _ref("Said"),
                    body={
                        "type": "object",
                        "required": ["comments"],
                        "additionalProperties": False,
                        "properties": {
                            "comments": _line(text.MAX_COMMENT),
                            "question": {
                                "type": "boolean",
                                "default": False,
                                "description": "whether the requester is asked, and so sent it",
                            },
                            "answers": {
                                "type": ["integer", "null"],
                                "minimum": 1,
                                "maximum": MAX_NUMBER,
                                "description": "the number of the question that it answers: who "
                                "asked that is sent it",
                            },
                        },
                    },
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_OPENAPI: {
                "get": _operation("This document", {"type": "object"}, refusals=()),
            },
        },
        "components": {
            "securitySchemes": {
                "signIn": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Of this deployment's authorizer; where that is IAM, sign "
                    "requests with AWS Signature Version 4 instead.",
                }
            },
            "schemas": _SCHEMAS,
        },
    }


def _operation(
    summary: str,
    answer: _Schema,
    *,
    query: _Schema | None = None,
    body: _Schema | None = None,
    refusals: tuple[int, ...] = (),
) -> dict[str, Any]:
    refused = {"application/json": {"schema": _ref("Error")}}
    gateway = {"application/json": {"schema": _ref("Message")}}
    either = {
        "application/json": {"schema": {"anyOf": [_ref("Error"), _ref("Message")]}},
    }
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {
            "200": {"description": "done", "content": {"application/json": {"schema": answer}}},
            "400": {"description": "malformed; nothing was written", "content": either},
            "401": {"description": "not signed in, or not by name", "content": either},
            "429": {"description": "too many requests", "content": gateway},
            "500": {"description": "a fault of the service", "content": either},
            "503": {"description": "not now: the same call may succeed later", "content": either},
        }
        | {
            str(status): {
                "description": _REFUSALS[status],
                "content": either if status in {403, 404} else refused,
            }
            for status in refusals
        },
    }
    if query:
        operation["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in query.items()
        ]
    if body:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _line(maximum: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": maximum}


_REFUSALS = {
    403: "this is not yours to decide, to withdraw or to delegate",
    404: "no approval has this id",
    409: "decided by somebody else, expired, changed since it was shown, or full of comments",
    415: "the body is not said to be JSON",
}
_ID = {
    "name": "approval_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
}
_PAGING: dict[str, Any] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    "cursor": _line(MAX_CURSOR) | {"description": "what the page before gave"},
}
_FOR = {
    "for": _line(text.MAX_PERSON) | {"description": "for operators: whose it is, if not theirs"}
}
_COMMENTS = {"type": ["string", "null"], "maxLength": text.MAX_COMMENT}
_VALUES: dict[str, Any] = {"type": ["object", "null"]}
_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_NULLABLE = {"type": ["string", "null"]}
_NULLABLE_TIME = {"type": ["string", "null"], "format": "date-time"}
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
    "thread": {"type": "array", "items": _ref("Comment")},
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
    "created_at": _TIME,
    "expires_at": _TIME,
}
_VOTE = _object(
    {
        "approver": _TEXT,
        "identity": {"enum": list(get_args(Identity))},
        "decision": {"enum": ["approved", "rejected"]},
        "comments": _TEXT,
        "at": _TIME,
    },
    {
        "input": {"type": "object", "description": "what this person has filled in"},
        "on_behalf_of": _TEXT,
    },
)
_DELEGATION = {
    "giver": _TEXT,
    "to": _TEXT,
    "from": _TIME,
    "until": _TIME,
    "given_by": _TEXT,
    "identity": {"enum": list(get_args(Identity))},
    "at": _TIME,
}
_COMMENT = {
    "sequence": {"type": "integer", "minimum": 1},
    "author": _TEXT,
    "identity": {"enum": list(get_args(Identity))},
    "at": _TIME,
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
    "decided_at": _NULLABLE_TIME,
    "votes": {"type": "array", "items": _VOTE},
    "execution_arn": _TEXT,
    "standing": _TEXT,
    "may_still_answer": _NAMES,
    "context": {"type": "object"},
    "context_digest": _TEXT,
}
_SCHEMAS: dict[str, Any] = {
    "Entry": _object(_ENTRY, {"document_id": _TEXT, "on_behalf_of": _TEXT}),
    "Delegations": _object(
        {
            "given": {"anyOf": [_object(_DELEGATION), {"type": "null"}]},
            "received": {"type": "array", "items": _object(_DELEGATION)},
        }
    ),
    "InboxPage": _object(
        {"approvals": {"type": "array", "items": _ref("Entry")}, "cursor": _CURSOR}
    ),
    "Summary": _object(
        {**_ENTRY, "status": _APPROVAL["status"], "approvers": _NAMES},
        {"decision": _TEXT, "decided_by": _TEXT, "decided_at": _TIME, **_DOCUMENT},
    ),
    "Page": _object({"approvals": {"type": "array", "items": _ref("Summary")}, "cursor": _CURSOR}),
    "Approval": _object(
        {**_APPROVAL, "messages": {"type": "array", "items": _ref("PersonalMessage")}}, _OPTIONAL
    ),
    "Reassigned": _object(_APPROVAL, _OPTIONAL),
    "PersonalMessage": _object(
        {
            "recipient": _TEXT,
            "kind": {"enum": list(get_args(MessageKind))},
            "channel": {"enum": list(get_args(Channel))},
            "state": {"enum": list(get_args(MessageState))},
            "attempts": {"type": "integer"},
            "sent_at": _NULLABLE_TIME,
            "next_try_at": _NULLABLE_TIME,
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
            "at": _TIME,
            "actor": _TEXT,
            "identity": {"enum": list(get_args(Identity))},
            "content_digest": _TEXT,
            "details": {"type": "object"},
            "previous_hash": _TEXT,
            "hash": _TEXT,
        },
        {"signature": _TEXT},
    ),
    "History": _object(
        {
            "approval_id": _TEXT,
            "events": {"type": "array", "items": _ref("Event")},
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
