"""An agent asks through a deployment's route, and through `hitl mcp`; a person decides."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from hitl_approval.contract import Output
from hitl_approval.routes import Route
from hitl_approval_cli.local import LocalCloud
from tests.deployed import Deploy, Live, People, eventually
from tests.mcp.test_official_client import Tasks

ANN, BOB = "ann@example.com", "bob@example.com"
ASK = {"subject": "Delete the table orders", "context": {"table": "orders"}, "approvers": [BOB]}


@pytest.fixture
def live(deploy: Deploy, people: People) -> Live:
    return deploy("app-agents", sign_in=people.sign_in, mcp="true")


class Page:
    """The page, for who has signed in."""

    def __init__(self, live: Live, token: str) -> None:
        self.cloud = urlsplit(str(live.deployment.endpoint_url))
        self.host = urlsplit(live.deployment.output(Output.PAGE_URL)).netloc
        self.headers = {"Host": self.host, "Authorization": f"Bearer {token}"}

    def fetch(self, method: str, path: str, body: str | None = None, **more: str) -> str:
        connection = http.client.HTTPConnection(self.cloud.hostname or "", self.cloud.port)
        headers = {**self.headers, **{name.replace("_", "-"): more[name] for name in more}}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, text
        return text

    def approve(self, approval_id: str) -> None:
        path = f"/approvals/{approval_id}"
        [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', self.fetch("GET", path))
        form = urlencode({"nonce": nonce, "decision": "approved", "comments": "go on"})
        kind = "application/x-www-form-urlencoded"
        said = self.fetch("POST", path, form, Content_Type=kind, Origin=f"https://{self.host}")
        assert "You approved this" in said


class Waiting(Tasks):
    """A client that waits for its task while a person decides on the page."""

    def __init__(self, page: Page) -> None:
        super().__init__(api=page)  # type: ignore[arg-type]


def test_should_complete_an_agents_task_when_a_person_decides_on_the_page(
    live: Live, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(live, people.token(BOB))
    monkeypatch.setattr(
        "tests.mcp.test_official_client.decide",
        lambda to, approval_id, decision: to.approve(approval_id),
    )
    tasks = Waiting(page)

    async def run() -> Any:
        headers = {"Authorization": f"Bearer {people.token(ANN)}", "Host": page.host}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as agent:
            url = f"{live.deployment.endpoint_url}{Route.MCP}"
            transport = streamable_http_client(url, http_client=agent)
            async with Client(transport, extensions=[tasks]) as client:
                ended = await client.call_tool("request_approval", ASK)
                one = {"approval_id": ended.structured_content["approval_id"]}
                again = await client.call_tool("get_approval", one)
                assert again.structured_content == ended.structured_content
                refused = await client.call_tool("request_approval", {"subject": ""})
                assert refused.is_error
                return ended.structured_content

    ended = asyncio.run(run())
    assert tasks.seen == ["working", "completed"]
    assert (ended["approved"], ended["decided_by"], ended["requester"]) == (True, BOB, ANN)
    assert ended["votes"][0]["identity"] == "jwt"
    assert live.events(ended["approval_id"]) == ["requested", "approved"]


def test_should_answer_nobody_without_a_token(live: Live) -> None:
    page = Page(live, "none")
    connection = http.client.HTTPConnection(page.cloud.hostname or "", page.cloud.port)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    connection.request("POST", Route.MCP, body, {"Host": page.host})
    assert connection.getresponse().status == 401
    connection.close()


def test_should_have_no_route_where_it_was_not_asked_for(
    callback_live: Live, people: People
) -> None:
    page = Page(callback_live, people.token(ANN))
    connection = http.client.HTTPConnection(page.cloud.hostname or "", page.cloud.port)
    connection.request("POST", Route.MCP, "{}", page.headers)
    assert connection.getresponse().status == 404
    connection.close()


def test_should_ask_from_a_desktop_and_hold_a_tool_until_people_decide(
    live: Live, cloud: LocalCloud, people: People, tmp_path: Path
) -> None:
    policy, ran = tmp_path / "policy.json", tmp_path / "ran"
    rules = [
        {"tools": "delete_*", "then": "ask", "approvers": [BOB]},
        {"tools": "*", "then": "deny"},
    ]
    policy.write_text(json.dumps(rules))
    page = Page(live, people.token(BOB))
    words = [
        *("mcp", "--stack", live.stack, "--as", ANN, "--gate", str(policy), "--wait", "60s"),
        *("--", sys.executable, "-m", "tests.mcp.files_server", str(ran)),
    ]
    environment = {**os.environ, **cloud.environment()}
    gated = StdioServerParameters(
        command=str(Path(sys.executable).parent / "hitl"), args=words, env=environment
    )

    async def run() -> Any:
        async with Client(gated) as client:
            call = asyncio.create_task(client.call_tool("delete_file", {"path": "/data/a"}))

            def asked() -> str | None:
                [*found] = live.deployment.pages("pending", subject="delete_file")
                rows = [row for page in found for row in page["approvals"]]
                return str(rows[0]["approval_id"]) if rows else None

            approval_id = await asyncio.to_thread(eventually, asked, "the request of the gate")
            assert not ran.exists()
            await asyncio.to_thread(page.approve, str(approval_id))
            return await call

    done = asyncio.run(run())
    assert done.content[0].text == "deleted /data/a"
    assert ran.read_text() == "/data/a\n"
