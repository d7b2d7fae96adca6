"""What an approver fills in and changes in a browser: asked for again where wrong, never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hitl_approval.testing import World, in_memory
from tests.browser.approver import choose, said, send
from tests.browser.conftest import NewPage
from tests.browser.in_memory import ask, link_of, serve
from tests.browser.test_accessibility import LONG, faults

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "title": "Why", "minLength": 10},
        "note": {"type": "string", "maxLength": 500, "description": LONG[:400]},
        "days": {"type": "integer", "default": 3, "minimum": 1},
        "urgent": {"type": "boolean", "title": "Urgent"},
        "team": {"type": "string", "enum": ["a", "b"], "enumNames": ["Team A", "Team B"]},
        "mail": {"type": "string", "format": "email"},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time", "default": "2026-01-31T12:00:30Z"},
    },
    "required": ["reason", "urgent"],
}
CONTEXT = {"amount": 100, "memo": "first\n\n second", "path": '</textarea><script>alert("x")'}
EDITABLE = ["amount", "memo", "path"]


@pytest.fixture
def world() -> World:
    return in_memory()


def opened(page: Page, world: World, **fields: Any) -> str:
    given = {"form": FORM, "editable": EDITABLE, "context": CONTEXT}
    approval_id = ask(world, **(given | fields))
    serve(page, world)
    page.goto(link_of(world, "bob"))
    return approval_id


def test_should_correct_what_was_wrong_and_approve(new_page: NewPage, world: World) -> None:
    page = new_page()
    approval_id = opened(page, world)
    choose(page, "approved", "as ordered")
    page.get_by_label("Why", exact=True).fill("short")
    page.get_by_label("amount").fill("12 dozen")
    page.get_by_label("team").select_option("Team B")
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent")
    expect(page.get_by_label("Why", exact=True)).to_have_value("short")
    expect(page.get_by_label("Why", exact=True)).to_have_accessible_description(
        "At least 10 characters Must be at least 10 characters, got 5."
    )
    expect(page.get_by_label("amount")).to_have_value("12 dozen")
    expect(page.get_by_label("amount")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("team")).to_have_value("b")
    expect(page.get_by_label("Comment")).to_have_value("as ordered")
    assert world.store.approvals[approval_id].votes == ()

    page.get_by_label("Why", exact=True).fill("long enough by now")
    page.get_by_label("Urgent").select_option("No")
    page.get_by_label("amount").fill("120")
    page.get_by_label("day (optional)").fill("2026-03-01")
    send(page)
    said(page, "approved")
    approval = world.store.approvals[approval_id]
    assert approval.votes[0].input == {
        "reason": "long enough by now",
        "days": 3,
        "urgent": False,
        "team": "b",
        "day": "2026-03-01",
        "at": "2026-01-31T12:00:30Z",
    }
    assert json.loads(approval.context) == {**CONTEXT, "amount": 120}
    expect(page.get_by_role("region", name="Changed since it was asked")).to_contain_text(
        "100 -> 120"
    )


def test_should_change_nothing_that_was_not_touched(new_page: NewPage, world: World) -> None:
    page = new_page()
    approval_id = opened(page, world, form=None)
    choose(page, "approved")
    send(page)
    said(page, "approved")
    approval = world.store.approvals[approval_id]
    assert (approval.changes, json.loads(approval.context)) == ({}, CONTEXT)


def test_should_reject_with_nothing_filled_in(new_page: NewPage, world: World) -> None:
    page = new_page()
    approval_id = opened(page, world)
    choose(page, "rejected", "no")
    send(page)
    said(page, "rejected")
    assert world.store.approvals[approval_id].votes[0].input is None


@pytest.mark.parametrize("wrong", [False, True])
@pytest.mark.parametrize("width", [320, 1280])
def test_should_have_no_accessibility_fault(
    new_page: NewPage, world: World, width: int, *, wrong: bool
) -> None:
    page = new_page(bypass_csp=True, viewport={"width": width, "height": 640})
    opened(page, world)
    if wrong:
        choose(page, "approved")
        send(page)
        expect(page.get_by_role("alert")).to_be_visible()
    for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
        page.emulate_media(color_scheme=scheme, forced_colors=forced)  # type: ignore[arg-type]
        assert faults(page) == [], (scheme, forced)
    assert page.evaluate("document.documentElement.scrollWidth") == width
