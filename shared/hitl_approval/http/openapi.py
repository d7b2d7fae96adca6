"""The JSON API as an OpenAPI document, in the limits that the code enforces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.approval import STATUSES
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, MAX_NUMBER, MAX_TIME
from hitl_approval.http.schemas import NULLABLE_TIME, SCHEMAS, TIME, ref
from hitl_approval.http.turn_schema import REASSIGNMENT
from hitl_approval.routes import Route

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
                    ref("InboxPage"),
                    query=_PAGING,
                )
            },
            Route.V1_APPROVALS: {
                "get": _operation(
                    "Approvals of one status, newest first",
                    ref("Page"),
                    query={
                        "status": {"enum": list(STATUSES), "default": "pending"},
                        "since": TIME | {"maxLength": MAX_TIME},
                        "requester": _line(text.MAX_LINE),
                        "subject": _line(text.MAX_LINE),
                        **_PAGING,
                    },
                )
            },
            Route.V1_APPROVAL: {
                "parameters": [_ID],
                "get": _operation("One approval", ref("Approval"), refusals=(404,)),
            },
            Route.V1_HISTORY: {
                "parameters": [_ID],
                "get": _operation(
                    "The audit trail of one approval, verified", ref("History"), refusals=(404,)
                ),
            },
            Route.V1_DECISION: {
                "parameters": [_ID],
                "post": _operation(
                    "Approve or reject",
                    ref("Outcome"),
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
                    ref("Reassigned"),
                    body=REASSIGNMENT,
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_RETRACTION: {
                "parameters": [_ID],
                "post": _operation(
                    "Take your own answer back, while it has not been acted on",
                    ref("Outcome"),
                    body={"type": "object", "additionalProperties": False, "properties": {}},
                    refusals=(403, 404, 409, 415),
                ),
            },
            Route.V1_CANCELLATION: {
                "parameters": [_ID],
                "post": _operation(
                    "Withdraw a request: for who asked for it, and for its approvers",
                    ref("Outcome"),
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
                    ref("Delegations"),
                    query=_FOR,
                    refusals=(403,),
                ),
                "post": _operation(
                    "Let another person answer what you are asked, in place of who did before",
                    ref("Delegations"),
                    body={
                        "type": "object",
                        "required": ["to", "until"],
                        "additionalProperties": False,
                        "properties": {
                            "to": _line(text.MAX_PERSON),
                            "from": NULLABLE_TIME | {"maxLength": MAX_TIME},
                            "until": TIME | {"maxLength": MAX_TIME},
                            **_FOR,
                        },
                    },
                    refusals=(403, 415),
                ),
                "delete": _operation(
                    "Answer for yourself again",
                    ref("Delegations"),
                    query=_FOR,
                    refusals=(403,),
                ),
            },
            Route.V1_COMMENTS: {
                "parameters": [_ID],
                "post": _operation(
                    "Ask the requester, answer a question, or comment; nothing is decided by it",
                    ref("Said"),
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
            "schemas": SCHEMAS,
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
    refused = {"application/json": {"schema": ref("Error")}}
    gateway = {"application/json": {"schema": ref("Message")}}
    either = {
        "application/json": {"schema": {"anyOf": [ref("Error"), ref("Message")]}},
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
