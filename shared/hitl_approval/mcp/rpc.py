"""JSON-RPC 2.0 as MCP narrows it: one message at a time, ids that are texts or whole numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from hitl_approval.domain import text

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
HEADER_MISMATCH: Final = -32020
MISSING_CAPABILITY: Final = -32021
UNSUPPORTED_VERSION: Final = -32022

MAX_MESSAGE: Final = 256 * 1024
"""Longest message that is parsed, in characters: a request's context has at most 150,000 bytes."""
MAX_ID: Final = 1_000
"""Longest id of a message that is answered, in characters: an answer repeats it."""
_SAFE_INTEGER: Final = 2**53
"""Beyond it JavaScript's numbers are not exact, and an id would come back as another one."""


class RpcError(Exception):
    """A message that is answered by an error of the protocol.

    Attributes:
        code: JSON-RPC's or MCP's.
        data: JSON values that explain; None where there are none.
        about: the id of the message, where it could be read.
        status: HTTP status code.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        data: Any = None,
        about: str | int | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.data = data
        self.about = about
        self.status = status

    def to_dict(self) -> dict[str, Any]:
        """The answer to the message."""
        error: dict[str, Any] = {"code": self.code, "message": str(self)}
        if self.data is not None:
            error["data"] = self.data
        found = {} if self.about is None else {"id": self.about}
        return {"jsonrpc": "2.0", **found, "error": error}


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification where it has no id."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    id: str | int | None = None


def parse(written: str) -> Message:
    """Read one message.

    Raises:
        RpcError: it is not JSON, several at once, or neither a request nor a notification.
    """
    return read(load(written))


def load(written: str, most: int = MAX_MESSAGE) -> Any:
    """The JSON value of a message; numbers that JSON does not have are refused.

    Args:
        written: the message.
        most: its longest, in characters.

    Raises:
        RpcError: it is too long, or is not JSON.
    """
    if len(written) > most:
        raise RpcError(
            INVALID_REQUEST,
            f"a message has at most {most} characters",
            status=413,
        )
    try:
        return json.loads(written, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise RpcError(PARSE_ERROR, "the message is not JSON") from None


def read(value: Any) -> Message:
    """A JSON value as a request or a notification.

    Raises:
        RpcError: it is neither.
    """
    if isinstance(value, list):
        raise RpcError(INVALID_REQUEST, "send one message at a time: there are no batches")
    if not isinstance(value, dict):
        raise RpcError(INVALID_REQUEST, f"a message is an object, got {text.kind(value)}")
    about = message_id(value)
    if value.get("jsonrpc") != "2.0":
        raise RpcError(INVALID_REQUEST, 'jsonrpc must be "2.0"', about=about)
    method, params = value.get("method"), value.get("params", {})
    if not isinstance(method, str):
        raise RpcError(INVALID_REQUEST, "a message has a method", about=about)
    if not isinstance(params, dict):
        rule = f"params must be an object, got {text.kind(params)}"
        raise RpcError(INVALID_PARAMS, rule, about=about)
    return Message(method, params, about)


def message_id(value: Mapping[str, Any]) -> str | int | None:
    """The id of a message; None for a notification.

    Raises:
        RpcError: it is no id.
    """
    if "id" not in value:
        return None
    found = value["id"]
    is_number = isinstance(found, int) and not isinstance(found, bool)
    if is_number and abs(found) < _SAFE_INTEGER:
        return int(found)
    if isinstance(found, str) and len(found) <= MAX_ID:
        return found
    rule = f"id must be a whole number or a text of at most {MAX_ID} characters"
    raise RpcError(INVALID_REQUEST, rule)


def result_of(message: Message, result: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    return {"jsonrpc": "2.0", "id": message.id, "result": dict(result)}


def dump(value: Any) -> str:
    """A message on one line, in ASCII."""
    return json.dumps(value, allow_nan=False)


def _refuse(number: str) -> NoReturn:
    raise ValueError(number)
