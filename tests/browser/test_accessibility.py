"""Every kind of page, light and dark, on the narrowest phone: no serious fault, nothing cut off."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.approver import ask, choose, said, send
from tests.browser.conftest import NewPage
from tests.deployed import Links

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LONG = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 5
CONTEXT = {"amount": 70_000, LONG: LONG, "to": {"name": "Cid", "lines": [{"pre": [[[[LONG]]]]}]}}


def form(page: Page, links: Links) -> None:
    page.goto(links.link("ann", ask(links, context=CONTEXT)["approval_id"]))
    expect(page.get_by_role("group", name="Your decision")).to_be_visible()


def error(page: Page, links: Links) -> None:
    form(page, links)
    page.evaluate("document.forms[0].submit()")
    expect(page.get_by_role("alert")).to_contain_text("Please choose")


def receipt(page: Page, links: Links) -> None:
    form(page, links)
    choose(page, "rejected", f"No: {LONG}")
    send(page)
    said(page, "rejected")


def ended(page: Page, links: Links) -> None:
    approval_id = ask(links, document_name=LONG)["approval_id"]
    link = links.link("ann", approval_id)  # before the end, after which nobody is sent the request
    links.live.decide(approval_id, "approved", approver="bob", comments=LONG)
    page.goto(link)
    expect(page.get_by_text("Approved by bob: no answer needed from you")).to_be_visible()


def message(page: Page, links: Links) -> None:
    page.goto(links.link("ann", ask(links)["approval_id"])[:-1])
    expect(page.get_by_text("This link does not open anything")).to_be_visible()


PAGES: list[Callable[[Page, Links], None]] = [form, error, receipt, ended, message]


def faults(page: Page) -> list[Any]:
    """What axe finds, with the elements concerned."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert found["passes"], "axe has checked nothing"
    return [
        (each["impact"], each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found["violations"]
    ]


@pytest.mark.parametrize("open_page", PAGES, ids=lambda page: str(page.__name__))
def test_should_have_no_accessibility_fault_and_no_sideways_scroll(
    links: Links, new_page: NewPage, open_page: Callable[[Page, Links], None]
) -> None:
    # Axe is a script, which the page's policy forbids.
    page = new_page(bypass_csp=True, viewport={"width": 320, "height": 640})
    open_page(page, links)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    lines = "Array.from(document.querySelectorAll('time'), time => time.getClientRects().length)"
    assert set(page.evaluate(lines)) <= {1}  # no date is broken in two


def test_should_see_a_fault_that_is_there(links: Links, new_page: NewPage) -> None:
    page = new_page(bypass_csp=True)
    form(page, links)
    page.evaluate("document.querySelector('label[for]').remove()")
    assert [(impact, rule) for impact, rule, _ in faults(page)] == [("critical", "label")]
