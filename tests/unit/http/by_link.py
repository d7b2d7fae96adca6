"""A request whose approvers were sent their links, and a browser that opens them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hitl_approval.domain.link import make_challenge
from hitl_approval.domain.organization import Organization
from hitl_approval.http.link_page import handle
from hitl_approval.testing import World
from hitl_approval.testing.messages import CountingSecrets
from tests.anything import any_opening, any_request

APPROVERS = ("ann", "bob")


def asked(world: World, *, challenge: bool = False, **fields: Any) -> str:
    """A request whose approvers were sent their links."""
    request = fields.pop("request", None) or any_request(approvers=APPROVERS)
    if challenge:
        fields["challenge"] = make_challenge(CountingSecrets().draw())
    approval_id = world.store.create(
        any_opening(now=world.clock.now(), request=request, **fields)
    ).approval_id
    world.requests.notify(approval_id)
    deliver(world, approval_id)
    return approval_id


def deliver(world: World, approval_id: str) -> None:
    events = world.store.history(approval_id)
    assert world.delivery.take(events) == len(events)


def token_of(world: World, approver: str) -> str:
    """From the newest message to this approver."""
    message = [m for m in world.notifier.sent if m.recipient == approver][-1]
    [token] = re.findall(r"https://approvals\.example\.com/a/(\S+)", message.body)
    return str(token)


def call(
    world: World,
    token: str,
    method: str = "GET",
    form: dict[str, str] | None = None,
    *,
    query: dict[str, str] | None = None,
    organization: Organization | None = None,
    **headers: str,
) -> tuple[int, str]:
    event = {
        "requestContext": {"http": {"method": method}, "domainName": "page.example"},
        "pathParameters": {"token": token},
        "queryStringParameters": query,
        "headers": {"content-type": "application/x-www-form-urlencoded"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
        "body": urlencode(form or {}),
    }
    answer = handle(event, lambda: world.decisions, organization=organization)
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
    return answer["statusCode"], answer["body"]


def nonce_of(page: str) -> str:
    [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', page)
    return str(nonce)


def next_part(page: str) -> dict[str, str] | None:
    """The query of the link that leads to the next part; None on the last one."""
    links = set(re.findall(r'href="\?([^"#]*)#details"', page))
    assert len(links) <= 1
    return dict(parse_qsl(unescape(links.pop()))) if links else None


def read(world: World, token: str) -> list[str]:
    """The page, part by part, as somebody reads it to its end."""
    pages = [call(world, token)[1]]
    while (query := next_part(pages[-1])) is not None:
        pages.append(call(world, token, query=query)[1])
    return pages


def shown_in(*pages: str) -> str:
    """What stands on pages, without markup."""
    bodies = [re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL) for page in pages]
    return unescape(re.sub(r"<[^>]*>", "", "\n".join(bodies)))


def send(
    world: World, token: str, decision: str, comments: str = "", **more: str
) -> tuple[int, str]:
    _, page = call(world, token)
    form = {"nonce": nonce_of(page), "decision": decision, "comments": comments, **more}
    return call(world, token, "POST", form)


def snapshot(world: World) -> str:
    return repr(
        (world.store.approvals, world.store.audit, world.callbacks.completed, world.messages)
    )
