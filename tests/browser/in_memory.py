"""The page of a request in memory, in a browser: the real page function, without a cloud."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from playwright.sync_api import Page, Route

from hitl_approval.domain.organization import Organization
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.link_page import handle
from hitl_approval.testing import World
from tests.anything import any_opening, any_request, declared

HOST = "approve.example.com"
BRIGHTWATER = Organization(
    "Brightwater",
    "#0b5c6b",
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" '
    b'rx="8" fill="#0b5c6b"/><path d="M6 24q7-10 14 0t14 0" fill="none" stroke="#fff" '
    b'stroke-width="4"/></svg>',
)
"""Whose page it is in the pictures."""


REQUEST: dict[str, Any] = {
    "subject": "Pay 70,000 EUR to Nordwind Logistics",
    "requester": "rita@example.com",
    "approvers": ("ann", "bob", "cid"),
    "context": {
        "summary": "The freight of December, as ordered in October.",
        "amount": 70_000,
        "currency": "EUR",
        "risk": "high",
        "next": "the transfer is made tonight",
        "order": "https://orders.example.com/2041",
        "supplier": {"name": "Nordwind Logistics"},
    },
}
"""What the pictures ask."""


def asked(world: World) -> str:
    """Three people were asked, two must agree, one has; returns bob's link."""
    approval_id = ask(world)
    world.clock.advance(timedelta(minutes=18))
    world.decisions.decide(approval_id, declared("ann"), "approved", "Matches the order.")
    return link_of(world, "bob")


def ask(world: World, **fields: Any) -> str:
    """Three people are asked, two must agree; returns the approval's id."""
    request = any_request(**REQUEST | fields)
    approval = world.store.create(
        any_opening(
            now=world.clock.now(),
            request=request,
            policy=Policy(quorum=Quorum.at_least(2)),
            timeout=timedelta(hours=8),
        )
    )
    replace(world.delivery, page_url=f"https://{HOST}").take(
        world.store.history(approval.approval_id)
    )
    return approval.approval_id


def link_of(world: World, name: str) -> str:
    """Somebody's newest link."""
    mails = [message for message in world.notifier.sent if message.recipient == name]
    return str(re.findall(r"https://\S+/a/\S+", mails[-1].body)[0])


def serve(page: Page, world: World) -> None:
    """Let the page function answer, as API Gateway would ask it."""

    def answer(route: Route) -> None:
        request = route.request
        event = {
            "requestContext": {"http": {"method": request.method}, "domainName": HOST},
            "pathParameters": {"token": unquote(urlsplit(request.url).path.partition("/a/")[2])},
            "queryStringParameters": dict(parse_qsl(urlsplit(request.url).query)),
            "headers": request.headers,
            "body": request.post_data or "",
        }
        made = handle(event, lambda: world.decisions, organization=BRIGHTWATER)
        route.fulfill(status=made["statusCode"], headers=made["headers"], body=made["body"])

    page.route(f"https://{HOST}/**", answer)


def _decided(decision: Any) -> Callable[[World, str], str]:
    def link(world: World, approval_id: str) -> str:
        for name in ("ann", "cid") if decision == "approved" else ("ann",):
            world.decisions.decide(approval_id, declared(name), decision, "Matches the order.")
        return link_of(world, "bob")

    return link


def _answered(decision: Any) -> Callable[[World, str], str]:
    def link(world: World, approval_id: str) -> str:
        world.decisions.decide(approval_id, declared("bob"), decision, "Matches the order.")
        return link_of(world, "bob")

    return link


def _withdrawn(world: World, approval_id: str) -> str:
    world.decisions.cancel(approval_id, declared("rita@example.com"), "Ordered twice by mistake.")
    return link_of(world, "bob")


def _timed_out(world: World, approval_id: str) -> str:
    approval = world.store.approvals[approval_id]
    world.clock.advance(approval.expires_at - world.clock.now())
    world.sweeps.sweep()
    return link_of(world, "bob")


ENDS: Mapping[str, tuple[Callable[[World, str], str], str]] = {
    "approved": (_decided("approved"), "Approved by ann and cid: no answer needed from you"),
    "rejected": (_decided("rejected"), "Rejected by ann: no answer needed from you"),
    "withdrawn": (_withdrawn, "Withdrawn by rita@example.com: no answer needed from you"),
    "timed-out": (_timed_out, "Time is up: no answer is needed from you any more"),
    "answered-approved": (_answered("approved"), "You approved this"),
    "answered-rejected": (_answered("rejected"), "You rejected this"),
}
"""How a request ends for bob -> what makes it end, and the headline of his page."""
