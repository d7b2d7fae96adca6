"""What people do and see on the page, and what became of it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.deployed import Links

SEND = "Send my decision"


def ask(links: Links, **fields: Any) -> dict[str, Any]:
    """A request to ann and bob, each of whom may decide it."""
    return links.live.submit(**{"approvers": ["ann", "bob"]} | fields)


def choose(page: Page, decision: str, comment: str = "") -> None:
    page.get_by_role("radio", name="Approve" if decision == "approved" else "Reject").check()
    if comment:
        page.get_by_label("Comment").fill(comment)


def send(page: Page) -> None:
    page.get_by_role("button", name=SEND).click()


def said(page: Page, decision: str) -> None:
    expect(page.get_by_text(f"You {decision} this")).to_be_visible()


def answers(links: Links, approval_id: str) -> list[str]:
    """The audit trail after the request itself."""
    events = links.live.events(approval_id)
    assert events[0] == "requested"
    return events[1:]
