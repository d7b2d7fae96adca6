"""What a request says of its client."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.mcp import rpc, versions
from hitl_approval.mcp.rpc import Message, RpcError
from hitl_approval.mcp.tasks import EXTENSION
from hitl_approval.mcp.versions import client_of

PREFIX = "io.modelcontextprotocol/"
META: dict[str, Any] = {
    f"{PREFIX}protocolVersion": "2026-07-28",
    f"{PREFIX}clientCapabilities": {},
}


def message(meta: Any) -> Message:
    return Message("tools/list", {"_meta": meta}, 1)


def test_should_read_the_version_and_what_the_client_can_do() -> None:
    capabilities: dict[str, Any] = {"extensions": {EXTENSION: {}}}
    client = client_of(message(META | {f"{PREFIX}clientCapabilities": capabilities}), None)
    assert client.modern
    assert client.has_tasks
    assert not client_of(message(META), None).has_tasks


def test_should_take_the_version_of_an_earlier_handshake() -> None:
    client = client_of(Message("tools/list", {}, 1), "2025-11-25")
    assert not client.modern
    assert not client.has_tasks


def test_should_prefer_what_the_request_says_itself() -> None:
    assert client_of(message(META), "2025-11-25").modern


@pytest.mark.parametrize(
    "meta",
    [
        7,
        {},
        META | {f"{PREFIX}protocolVersion": 2026},
        {f"{PREFIX}protocolVersion": "2026-07-28"},
        META | {f"{PREFIX}clientCapabilities": []},
        META | {f"{PREFIX}clientInfo": "me"},
        META | {f"{PREFIX}clientInfo": {"name": "me"}},
    ],
)
def test_should_refuse_a_request_without_what_each_must_say(meta: Any) -> None:
    with pytest.raises(RpcError) as refused:
        client_of(message(meta), None)
    assert refused.value.code == rpc.INVALID_PARAMS
    assert refused.value.about == 1


@pytest.mark.parametrize("version", ["1900-01-01", "2025-11-25", "2099-01-01"])
def test_should_name_the_versions_that_are_spoken(version: str) -> None:
    with pytest.raises(RpcError) as refused:
        client_of(message(META | {f"{PREFIX}protocolVersion": version}), None)
    assert refused.value.code == rpc.UNSUPPORTED_VERSION
    assert refused.value.data == {"supported": list(versions.SUPPORTED), "requested": version}


def test_should_say_whether_a_request_stands_for_itself() -> None:
    assert versions.is_modern(message(META))
    assert not versions.is_modern(message({}))
    assert not versions.is_modern(Message("initialize", {"_meta": 7}, 1))
