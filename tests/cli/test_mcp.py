"""`hitl mcp`: what is typed, and the server on stdin and stdout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mcp.serving import request

from .conftest import Hitl


def test_should_answer_each_line(hitl: Hitl) -> None:
    call = {"name": "request_approval", "arguments": {"subject": "Ship it"}}
    lines = [json.dumps(request("tools/call", call, id=n)) for n in (1, 2)]
    result = hitl("mcp", stdin="\n".join(lines))
    assert (result.status, result.err) == (0, "")
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert [answer["id"] for answer in answers] == [1, 2]
    assert {answer["result"]["structuredContent"]["requester"] for answer in answers} == {"bob"}


def test_should_ask_as_the_name_that_is_typed(hitl: Hitl) -> None:
    call = {"name": "request_approval", "arguments": {"subject": "Ship it"}}
    result = hitl("mcp", "--as", "rita", stdin=json.dumps(request("tools/call", call)))
    assert result.json["result"]["structuredContent"]["requester"] == "rita"


def test_should_take_an_earlier_version_only_after_its_handshake(hitl: Hitl) -> None:
    listing = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
    opening = (
        '{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}'
    )
    result = hitl("mcp", stdin=f"{listing}\n{opening}\n{listing}\n")
    first, second, third = map(json.loads, result.out.splitlines())
    assert first["error"]["code"] == -32602
    assert second["result"]["protocolVersion"] == "2025-06-18"
    assert len(third["result"]["tools"]) == 3


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "tools must be a list of objects"),
        ('[{"tools": "a", "then": "maybe"}]', "tools[0].then must be ask, allow or deny"),
        ('[{"tools": "a", "editable": "b"}]', "editable: must be a list of arguments"),
    ],
)
def test_should_refuse_a_policy_that_is_none(
    hitl: Hitl, tmp_path: Path, policy: str, said: str
) -> None:
    file = tmp_path / "policy.json"
    file.write_text(policy)
    result = hitl("mcp", "--gate", str(file), "--", "cat")
    assert (result.status, result.out) == (2, "")
    assert said in result.err


def test_should_want_a_policy_and_a_command_together(hitl: Hitl, tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    for words in (["--gate", str(file)], ["--", "cat"]):
        result = hitl("mcp", *words)
        assert result.status == 2
        assert "belong together" in result.err
    assert hitl("mcp", "--gate", str(file), "--", "cat").status == 2
    file.write_text("[]")
    result = hitl("mcp", "--gate", str(file), "--", "no-such-program-here")
    assert (result.status, "no-such-program-here" in result.err) == (2, True)
    assert hitl("mcp", "--gate", str(file), "--wait", "soon", "--", "cat").status == 2
