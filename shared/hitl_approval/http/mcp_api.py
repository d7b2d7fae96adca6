"""MCP over HTTP: the route on which agents ask, as whoever the authorizer says they are.

Its mechanics are those of Streamable HTTP: one message a request, one JSON answer, and headers that
repeat what the message says. There are no sessions and no streams.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import ApprovalError, Unauthenticated
from hitl_approval.domain.link import entry_of
from hitl_approval.http.actions import perform
from hitl_approval.http.html import HEADERS
from hitl_approval.mcp import rpc, server, versions
from hitl_approval.mcp.caller import Action, Started
from hitl_approval.mcp.rpc import Message, RpcError
from hitl_approval.mcp.server import Reply
from hitl_approval.usecases.decide import DecisionService

_HEADERS: Final = HEADERS | {
    "Content-Type": "application/json",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_VERSION: Final = "mcp-protocol-version"
_NAMED: Final[Mapping[str, str]] = {
    "tools/call": "name",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
"""What the header Mcp-Name repeats of a method's parameters."""
_ENCODED: Final = re.compile(r"=\?base64\?(?P<text>.*)\?=", re.DOTALL)


class Starter(Protocol):
    """Starts the packaged workflow: see `adapters.starting`."""

    def start(self, event: Mapping[str, Any], name: str | None) -> Started:
        """Start an execution of this name, or a new one."""

    def refusal(self, started: Started) -> ApprovalError | None:
        """Why an execution has ended without a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedInCaller:
    """See `mcp.caller.Caller`.

    Attributes:
        actor: who has signed in.
        service: of the deployment.
        starter: starts its packaged workflow.
        inbox_url: where people sign in by a browser; None where nobody can.
    """

    actor: Actor
    service: DecisionService
    starter: Starter
    inbox_url: str | None

    @property
    def name(self) -> str:
        """See `mcp.caller.Caller.name`."""
        return self.actor.name

    def start(self, event: Mapping[str, Any], key: str | None) -> Started:
        """See `mcp.caller.Caller.start`."""
        return self.starter.start(event, key)

    def refusal(self, started: Started) -> ApprovalError | None:
        """See `mcp.caller.Caller.refusal`."""
        return self.starter.refusal(started)

    def act(self, action: Action, approval_id: str, comments: str = "") -> Mapping[str, Any]:
        """See `mcp.caller.Caller.act`."""
        said = {"comments": comments} if comments else {}
        payload = {"action": action, "approval_id": approval_id, **said}
        return perform(payload, self.actor, self.service)

    def page_of(self, approval_id: str) -> str | None:
        """See `mcp.caller.Caller.page_of`."""
        return entry_of(self.inbox_url, approval_id)

    def pause(self, attempt: int) -> None:
        """See `mcp.caller.Caller.pause`."""
        self.service.clock.pause(attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agents:
    """How a deployment serves agents.

    Attributes:
        starter: starts its packaged workflow.
        page_url: where its own pages are: no other site's scripts may send anything.
        inbox_url: where people sign in by a browser; None where nobody can.
    """

    starter: Starter
    page_url: str | None
    inbox_url: str | None

    def answer(
        self,
        event: Mapping[str, Any],
        who: Callable[[], Actor],
        service: Callable[[], DecisionService],
    ) -> dict[str, Any]:
        """Answer one request of the route. Never raises.

        Args:
            event: of an HTTP API (payload 2.0).
            who: gives who has signed in, or raises `Unauthenticated`.
            service: gives what reads and withdraws in this deployment.
        """
        try:
            headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
            _check_sender(headers, self.page_url)
            message = rpc.parse(_body(event))
            legacy = _check_headers(message, headers)
            actor = _signed_in(who, message)
        except RpcError as error:
            return _answer(server.refused(error))
        return _answer(
            server.answer(
                message,
                lambda: SignedInCaller(
                    actor=actor,
                    service=service(),
                    starter=self.starter,
                    inbox_url=self.inbox_url,
                ),
                legacy,
            )
        )


def _signed_in(who: Callable[[], Actor], message: Message) -> Actor:
    try:
        return who()
    except Unauthenticated as error:
        raise RpcError(error.status, str(error), about=message.id, status=error.status) from None


def _check_sender(headers: Mapping[str, str], page_url: str | None) -> None:
    """Refuse what a browser sends for another site, and what is not JSON.

    Raises:
        RpcError: it is that.
    """
    origin = headers.get("origin")
    own = "" if page_url is None else "/".join(page_url.split("/")[:3])
    if origin is not None and origin.lower() != own.lower():
        raise RpcError(rpc.INVALID_REQUEST, "Origin is not this site's own", status=403)
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise RpcError(rpc.INVALID_REQUEST, "the body must be application/json", status=415)


def _body(event: Mapping[str, Any]) -> str:
    body = event.get("body")
    if not isinstance(body, str):
        raise RpcError(rpc.PARSE_ERROR, "the message is not JSON")
    if not event.get("isBase64Encoded"):
        return body
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, ValueError):
        raise RpcError(rpc.PARSE_ERROR, "the message is not JSON") from None


def _check_headers(message: Message, headers: Mapping[str, str]) -> str | None:
    """Hold the headers against the message; the version of an earlier handshake, if it names one.

    Raises:
        RpcError: they differ, or one is missing.
    """
    version = headers.get(_VERSION)
    if not versions.is_modern(message):
        if version is None or version in versions.LEGACY or version in versions.MODERN:
            return version if version in versions.LEGACY else None
        raise versions.unsupported(version, message)
    meta = message.params["_meta"]
    expected = {_VERSION: meta[versions.VERSION_KEY], "mcp-method": message.method}
    named = _NAMED.get(message.method)
    if named is not None and named in message.params:
        expected["mcp-name"] = message.params[named]
    for header, value in expected.items():
        found = headers.get(header)
        if header == "mcp-name" and found is not None:
            found = _decoded(found)
        if found != value:
            said = "is missing" if found is None else "is not what the message says"
            msg = f"Header mismatch: {header} {said}"
            raise RpcError(rpc.HEADER_MISMATCH, msg, about=message.id)
    return None


def _decoded(header: str) -> str | None:
    """A header's text, which stands in Base64 where a header could not carry it."""
    encoded = _ENCODED.fullmatch(header)
    if encoded is None:
        return header
    try:
        return base64.b64decode(encoded["text"], validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _answer(reply: Reply) -> dict[str, Any]:
    body = "" if reply.body is None else rpc.dump(reply.body)
    return {"statusCode": reply.status, "body": body, "headers": _HEADERS}
