"""The inbox behind a proxy that signs people in, under a name that the API does not know."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from hitl_approval.contract import Output
from tests.browser.approver import answers, ask, choose, said, send
from tests.browser.conftest import NewPage
from tests.browser.test_other_sites import visit
from tests.deployed import Links, People

ANN = "ann@example.com"
NOT_PASSED_ON = {"host", "connection", "authorization"}


@pytest.fixture
def proxy(links: Links, people: People) -> Iterator[str]:
    """Its origin. Whoever comes is Ann, as by a cookie, which other sites' forms ride on too."""
    api = urlsplit(str(links.live.deployment.endpoint_url))
    sent = {
        "Host": urlsplit(links.live.deployment.output(Output.PAGE_URL)).netloc,
        "Authorization": f"Bearer {people.token(ANN)}",
    }

    class PassOn(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            own = {k: v for k, v in self.headers.items() if k.lower() not in NOT_PASSED_ON}
            with closing(http.client.HTTPConnection(api.hostname or "", api.port)) as connection:
                connection.request(self.command, self.path, body or None, own | sent)
                answer = connection.getresponse()
                page = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Security-Policy", "Referrer-Policy"):
                self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        do_POST = do_GET  # noqa: N815  the name that http.server calls

        def log_message(self, *_: Any) -> None:
            """Nothing: the bearer's token is nobody else's."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), PassOn)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://approve.localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_decide_behind_a_proxy_with_a_name_of_its_own(
    links: Links, proxy: str, new_page: NewPage, decision: str
) -> None:
    approval_id = ask(links, approvers=[ANN])["approval_id"]
    page = new_page()
    page.goto(f"{proxy}/approvals/{approval_id}")
    choose(page, decision, "by way of the proxy")
    send(page)
    said(page, decision)
    assert answers(links, approval_id) == [decision]


def test_should_not_be_sent_from_another_site_through_the_proxy(
    links: Links, proxy: str, evil: Page
) -> None:
    approval_id = ask(links, approvers=[ANN])["approval_id"]
    address = f"{proxy}/approvals/{approval_id}"
    evil.goto(address)
    # More than an attacker can know: the nonce of the form.
    nonce = evil.locator("[name=nonce]").get_attribute("value")
    visit(
        evil,
        f"<form method=post action='{address}'><input name=decision value=approved>"
        f"<input name=nonce value={nonce}><button>Win</button></form>",
    )
    evil.get_by_role("button", name="Win").click()
    expect(evil.get_by_role("heading")).to_have_text("This form was sent from another site")
    assert answers(links, approval_id) == []
