"""`hitl mcp` as a desktop agent starts it: the official client over its stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from .serving import VERSION, request

ROOT = Path(__file__).parents[2]
POLICY = [
    {"tools": "read_*", "then": "allow"},
    {"tools": "delete_*", "then": "ask"},
    {"tools": "*", "then": "deny", "reason": "not in this house"},
]
DESKTOP = [sys.executable, "-m", "tests.mcp.desktop", "mcp", "--as", "rita"]


def server(*words: str) -> StdioServerParameters:
    found = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    return StdioServerParameters(
        command=DESKTOP[0], args=[*DESKTOP[1:], *words], env=found, cwd=str(ROOT)
    )


def text_of(result: Any) -> str:
    found: str = result.content[0].text
    return found


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_should_ask_and_see_what_people_decide(mode: Any) -> None:
    async def run() -> None:
        async with Client(server(), mode=mode) as client:
            asked = await client.call_tool("request_approval", {"subject": "Ship it"})
            assert text_of(asked).startswith("PENDING")
            one = {"approval_id": asked.structured_content["approval_id"]}
            ended = await client.call_tool("get_approval", one)
            assert text_of(ended).startswith("APPROVED by bob@example.com")
            assert ended.structured_content["requester"] == "rita"
            assert (await client.call_tool("request_approval", {"subject": ""})).is_error

    asyncio.run(run())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_should_stand_before_another_servers_tools(tmp_path: Path, mode: Any) -> None:
    policy, ran = tmp_path / "policy.json", tmp_path / "ran"
    policy.write_text(json.dumps(POLICY))
    behind = [sys.executable, "-m", "tests.mcp.files_server", str(ran)]

    async def run() -> None:
        gated = server("--gate", str(policy), "--", *behind)
        async with Client(gated, mode=mode) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert tools == {"read_file", "delete_file", "format_disk"}
            read = await client.call_tool("read_file", {"path": "a"})
            assert text_of(read) == "content of a"
            done = await client.call_tool("delete_file", {"path": "a"})
            assert text_of(done) == "deleted a"
            refused = await client.call_tool("delete_file", {"path": "No"})
            assert refused.is_error
            assert "REJECTED" in text_of(refused)
            denied = await client.call_tool("format_disk", {})
            assert denied.is_error
            assert "not in this house" in text_of(denied)

    asyncio.run(run())
    assert ran.read_text() == "a\n"


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*DESKTOP, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        # What is started in the background ignores Ctrl-C, and so would whatever it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def test_should_end_with_its_input_and_write_nothing_but_messages() -> None:
    with start() as process:
        lines = [json.dumps(request("tools/list")), "", "{", json.dumps(request("ping"))]
        out, err = process.communicate("\n".join(lines).encode(), timeout=30)
    assert process.returncode == 0
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32700, -32601]
    assert b"Traceback" not in err


@pytest.mark.parametrize("gated", [False, True])
def test_should_end_on_ctrl_c_without_a_trace(tmp_path: Path, gated: bool) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(POLICY))
    words = ["--gate", str(policy), "--", "cat"] if gated else []
    with start(*words) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        message = request("server/discover")
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()
        assert VERSION.encode() in process.stdout.readline()  # it is up
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == b""


def test_should_withdraw_what_waits_when_the_client_ends_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(POLICY))
    with start("--gate", str(policy), "--", "cat") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        call = request("tools/call", {"name": "delete_x", "arguments": {"when": "Later"}})
        process.stdin.write(json.dumps(call).encode() + b"\n")
        process.stdin.flush()
        assert b"asked" in process.stderr.readline()
        process.stdin.close()
        said = process.stderr.read().decode()
        assert process.wait(timeout=30) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert said.startswith("hitl: withdrawn ")


def test_should_say_that_the_server_has_ended(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(POLICY))
    with start("--gate", str(policy), "--", "false") as process:
        assert process.wait(timeout=30) == 1
        assert process.stderr is not None
        assert b"false has ended with status 1 (SERVER_ENDED)" in process.stderr.read()
