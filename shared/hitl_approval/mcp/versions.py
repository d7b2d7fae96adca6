"""The protocol's versions, and what each message says of the client that has sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.domain import text
from hitl_approval.mcp import tasks
from hitl_approval.mcp.rpc import INVALID_PARAMS, UNSUPPORTED_VERSION, Message, RpcError

MODERN: Final = ("2026-07-28",)
"""Versions in which each request says its version and what its client can do."""
LEGACY: Final = ("2025-11-25", "2025-06-18")
"""Versions that begin with `initialize`, newest first. Earlier ones have batches."""
SUPPORTED: Final = (*MODERN, *LEGACY)

_PREFIX: Final = "io.modelcontextprotocol/"
VERSION_KEY: Final = f"{_PREFIX}protocolVersion"
_CAPABILITIES: Final = f"{_PREFIX}clientCapabilities"
_CLIENT: Final = f"{_PREFIX}clientInfo"
SERVER: Final[Mapping[str, Any]] = {
    "name": "hitl-approval",
    "title": "Human approvals",
    "version": LIBRARY_VERSION,
}
SERVER_META: Final[Mapping[str, Any]] = {f"{_PREFIX}serverInfo": SERVER}
"""In each result."""


@dataclass(frozen=True, slots=True)
class Client:
    """What a request says of its client; nothing of it says who is calling.

    Attributes:
        version: of the protocol.
        capabilities: what the client can do.
    """

    version: str
    capabilities: Mapping[str, Any] = field(default_factory=dict)

    @property
    def modern(self) -> bool:
        """Whether each of its requests stands for itself."""
        return self.version in MODERN

    @property
    def has_tasks(self) -> bool:
        """Whether it takes a task for an answer."""
        extensions = self.capabilities.get("extensions")
        return (
            self.modern
            and isinstance(extensions, Mapping)
            and isinstance(extensions.get(tasks.EXTENSION), Mapping)
        )


def client_of(message: Message, legacy: str | None) -> Client:
    """Who has sent a request, by its `_meta`, or by the version that was agreed on before.

    Args:
        message: the request.
        legacy: the version of `initialize`, where there was one.

    Raises:
        RpcError: it says neither, or a version that is not spoken here.
    """
    meta = message.params.get("_meta", {})
    if not isinstance(meta, Mapping):
        rule = f"_meta must be an object, got {text.kind(meta)}"
        raise RpcError(INVALID_PARAMS, rule, about=message.id)
    version = meta.get(VERSION_KEY)
    if version is None and legacy is not None:
        return Client(legacy)
    if not isinstance(version, str):
        raise RpcError(INVALID_PARAMS, f"_meta must have a text {VERSION_KEY}", about=message.id)
    if version not in MODERN:
        raise unsupported(version, message)
    capabilities, info = meta.get(_CAPABILITIES), meta.get(_CLIENT)
    if not isinstance(capabilities, Mapping):
        rule = f"_meta must have an object {_CAPABILITIES}"
        raise RpcError(INVALID_PARAMS, rule, about=message.id)
    named = info is None or (
        isinstance(info, Mapping)
        and all(isinstance(info.get(name), str) for name in ("name", "version"))
    )
    if not named:
        rule = f"{_CLIENT} must have the texts name and version"
        raise RpcError(INVALID_PARAMS, rule, about=message.id)
    return Client(version, capabilities)


def is_modern(message: Message) -> bool:
    """Whether a request says its version itself."""
    meta = message.params.get("_meta")
    return isinstance(meta, Mapping) and VERSION_KEY in meta


def unsupported(version: str, message: Message) -> RpcError:
    """The error that names the versions which are spoken here."""
    return RpcError(
        UNSUPPORTED_VERSION,
        "Unsupported protocol version",
        data={"supported": list(SUPPORTED), "requested": text.cut(version)},
        about=message.id,
    )
