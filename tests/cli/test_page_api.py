"""The page's API over HTTP: the token goes where the deployment says, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hitl_approval_cli.errors import TransientError
from hitl_approval_cli.page_api import call_page
from hitl_approval_cli.sessions import Session
from tests.serving import serving

PAYLOAD = {"action": "decide", "approval_id": "a b/c", "decision": "approved", "comments": "ok"}


class Page:
    """Answers with a status and a text, and notes what it was sent."""

    def __init__(self) -> None:
        self.status, self.text = 200, '{"status": "approved"}'
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.text)))
                self.end_headers()
                self.wfile.write(outer.text.encode())

            def do_GET(self) -> None:
                outer.asked.append((f"{self.command} {self.path}", dict(self.headers), None))
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(outer.text)))
                self.end_headers()
                self.wfile.write(outer.text.encode())

            do_DELETE = do_GET  # noqa: N815  the names that http.server calls

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://api1.execute-api.localhost:{self.server.server_port}"


@pytest.fixture
def page() -> Iterator[Page]:
    made = Page()
    with serving(made.server):
        yield made


def session(url: str) -> Session:
    return Session(url, "ann@example.com", "token-1", "2999-01-01T00:00:00+00:00")


def test_should_decide_by_the_route_with_the_token_and_no_name(page: Page) -> None:
    assert call_page(session(page.url), PAYLOAD) == (200, {"status": "approved"})
    [(path, headers, body)] = page.asked
    assert path == "/v1/approvals/a%20b%2Fc/decision"
    assert headers["Authorization"] == "Bearer token-1"
    assert headers["Host"] == page.url.removeprefix("http://")
    assert body == {"decision": "approved", "comments": "ok"}


def test_should_withdraw_by_its_own_route(page: Page) -> None:
    call_page(session(page.url), {"action": "cancel", "approval_id": "a", "comments": ""})
    assert page.asked[0][0] == "/v1/approvals/a/cancellation"


@pytest.mark.parametrize("text", ["", "<html>", "[]"])
def test_should_take_anything_but_an_object_for_nothing(page: Page, text: str) -> None:
    page.status, page.text = 502, text
    assert call_page(session(page.url), PAYLOAD) == (502, {})


def test_should_say_that_it_was_not_reached() -> None:
    with pytest.raises(TransientError, match=r"api1\.execute-api\.localhost was not reached"):
        call_page(session("http://api1.execute-api.localhost:1"), PAYLOAD)


def test_should_read_and_end_by_the_routes_own_methods(page: Page) -> None:
    who = session(page.url)
    call_page(who, {"action": "delegation"})
    call_page(who, {"action": "end_delegation", "for": "a&b"})
    call_page(who, {"action": "delegate", "to": "bob", "until": "2026-01-12"})
    [(read, headers, _), (ended, _, _), (path, _, given)] = page.asked
    assert (read, ended) == ("GET /v1/delegation?", "DELETE /v1/delegation?for=a%26b")
    assert headers["Authorization"] == "Bearer token-1"
    assert (path, given) == ("/v1/delegation", {"to": "bob", "until": "2026-01-12"})
