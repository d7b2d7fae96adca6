"""A deployment in memory behind an HTTP API of this machine, for the official MCP client."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from hitl_approval.adapters.starting import WorkflowStarter
from hitl_approval.http.mcp_api import Agents
from hitl_approval.http.signed_in import handle
from hitl_approval.routes import Route
from hitl_approval.testing import World
from tests.cli.fake_cloud import OUTPUTS, FakeCloud
from tests.serving import serving

RITA, BOB = "rita@example.com", "bob@example.com"
PAGE = "https://approve.example.com"


@dataclass
class Api:
    """What stands behind the route.

    Attributes:
        world: the deployment.
        cloud: Lambda, which starts its workflow.
        url: where the route is, once it is served.
    """

    world: World
    cloud: FakeCloud
    url: str = ""

    def post(self, body: str | bytes, *, who: str | None = RITA, **headers: str) -> dict[str, Any]:
        """As an HTTP API with a JWT authorizer calls the function."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.answer(
            body.decode() if isinstance(body, bytes) else body,
            {"content-type": "application/json", **named},
            who,
        )

    def answer(self, body: str, headers: Mapping[str, str], who: str | None) -> dict[str, Any]:
        claims = {"email": who, "email_verified": "true"}
        event = {
            "routeKey": f"POST {Route.MCP}",
            "requestContext": {"authorizer": {"jwt": {"claims": claims}} if who else {}},
            "headers": dict(headers),
            "body": body,
        }
        starter = WorkflowStarter(
            client=self.cloud, sender=self.cloud, workflow=OUTPUTS["WorkflowFunctionArn"]
        )
        agents = Agents(starter=starter, page_url=PAGE, inbox_url=PAGE)
        return handle(event, lambda: self.world.decisions, page_url=PAGE, agents=agents)

    def send(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        who: str | None = RITA,
        capabilities: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> tuple[int, dict[str, Any]]:
        """A request of the newest version, as the specification has it."""
        message = request(method, params, capabilities, **more)
        given = message["params"]
        name = given.get("name", given.get("taskId"))
        answer = self.post(
            json.dumps(message),
            who=who,
            mcp_protocol_version=VERSION,
            mcp_method=method,
            **({"mcp_name": name} if isinstance(name, str) else {}),
        )
        return answer["statusCode"], json.loads(answer["body"])

    def call(self, tool: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """What a tool answers."""
        status, body = self.send("tools/call", {"name": tool, "arguments": arguments or {}}, **more)
        assert status == 200, body
        return body["result"]


VERSION = "2026-07-28"
TASKS: dict[str, Any] = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
SHOWS: dict[str, Any] = {"elicitation": {"url": {}, "form": {}}}


def request(
    method: str,
    params: Mapping[str, Any] | None = None,
    capabilities: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A message of the newest version."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": dict(capabilities or {}),
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": method,
        "params": {**(params or {}), "_meta": meta},
        **more,
    }


@contextmanager
def served(api: Api) -> Iterator[Api]:
    """Serve the route on 127.0.0.1; the bearer token is who has signed in."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length).decode()
            _, _, who = self.headers.get("authorization", "").partition(" ")
            answer = api.answer(body, dict(self.headers.items()), who or None)
            said = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}{Route.MCP}"
    with serving(server):
        yield api


@asynccontextmanager
async def connected(api: Api, who: str = RITA, **options: Any) -> AsyncIterator[Client]:
    """The official client, signed in as somebody."""
    headers = {"Authorization": f"Bearer {who}"}
    async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
        transport = streamable_http_client(api.url, http_client=http)
        async with Client(transport, cache=None, **options) as client:
            yield client
