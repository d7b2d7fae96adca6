"""The JSON API for signed-in people: each route is one action of the approval function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.http.actions import perform
from hitl_approval.http.envelope import answer, body_of
from hitl_approval.http.errors import UnsupportedMediaType
from hitl_approval.http.html import HEADERS
from hitl_approval.http.openapi import document
from hitl_approval.routes import Route
from hitl_approval.usecases.decide import DecisionService

_HEADERS = HEADERS | {
    "Content-Type": "application/json",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def respond(
    event: Mapping[str, Any], who: Callable[[], Actor], service: Callable[[], DecisionService]
) -> dict[str, Any]:
    """Answer one request of a route below `/v1`. Never raises.

    Args:
        event: of an HTTP API (payload 2.0).
        who: gives the signed-in person, or raises `Unauthenticated`.
        service: gives what decides in this deployment.
    """
    _, _, path = event["routeKey"].partition(" ")

    def act() -> dict[str, Any]:
        actor = who()
        if path == Route.V1_OPENAPI:
            return document()
        return perform(_READERS[path](event), actor, service())

    return answer(act) | {"headers": _HEADERS}


def _inbox(event: Mapping[str, Any]) -> dict[str, Any]:
    return _with({"action": "inbox"}, _query(event), without=_WHO)


def _list(event: Mapping[str, Any]) -> dict[str, Any]:
    return _with({"action": "list"}, _query(event))


def _get(event: Mapping[str, Any]) -> dict[str, Any]:
    return _with({"action": "get", **_path(event)}, _query(event))


def _history(event: Mapping[str, Any]) -> dict[str, Any]:
    return _with({"action": "history", **_path(event)}, _query(event))


def _delegation(event: Mapping[str, Any]) -> dict[str, Any]:
    method, _, _ = event["routeKey"].partition(" ")
    if method == "POST":
        return _with({"action": "delegate"}, _body(event), without=_WHO)
    action = "end_delegation" if method == "DELETE" else "delegation"
    return _with({"action": action}, _query(event), without=_WHO)


def _post(action: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Reads the body of what who is signed in does to one approval."""

    def read(event: Mapping[str, Any]) -> dict[str, Any]:
        return _with({"action": action, **_path(event)}, _body(event), without=_WHO)

    return read


_WHO = frozenset({"approver", "decided_by"})
_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    Route.V1_INBOX: _inbox,
    Route.V1_APPROVALS: _list,
    Route.V1_APPROVAL: _get,
    Route.V1_HISTORY: _history,
    Route.V1_DECISION: _post("decide"),
    Route.V1_CANCELLATION: _post("cancel"),
    Route.V1_COMMENTS: _post("comment"),
    Route.V1_DELEGATION: _delegation,
    Route.V1_REASSIGNMENT: _post("reassign"),
    Route.V1_RETRACTION: _post("retract"),
}


def _path(event: Mapping[str, Any]) -> dict[str, Any]:
    return {"approval_id": (event.get("pathParameters") or {}).get("approval_id", "")}


def _query(event: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = dict(event.get("queryStringParameters") or {})
    limit = given.get("limit")
    if isinstance(limit, str) and limit.isascii() and limit.isdigit() and len(limit) <= 9:  # noqa: PLR2004
        given["limit"] = int(limit)
    return given


def _body(event: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("the body must be application/json")
    return body_of(event)


def _with(
    fixed: dict[str, Any], given: dict[str, Any], *, without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The payload; what the route and the sign-in say is not for the caller to say."""
    for name in given:
        if name in fixed or name in without:
            raise InvalidRequest(name, "must be left out: the address and your sign-in say it")
    return fixed | given
