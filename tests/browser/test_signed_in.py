"""Signed-in people find what awaits them, decide, and see what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hitl_approval.contract import Output
from tests.browser.approver import answers, ask, choose, said, send
from tests.browser.conftest import NewPage
from tests.browser.test_accessibility import LONG, faults
from tests.deployed import Links, People, eventually

ANN, BOB = "ann@example.com", "bob@example.com"
SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(new_page: NewPage, people: People) -> SignIn:
    """A browser that sends this person's token, as a proxy in front of the API does."""

    def opened(name: str, **options: Any) -> Page:
        token = {"Authorization": f"Bearer {people.token(name)}"}
        return new_page(extra_http_headers=token, **options)

    return opened


def at(links: Links, path: str) -> str:
    return f"{links.live.deployment.output(Output.PAGE_URL)}{path}"


def find(page: Page, links: Links, subject: str) -> None:
    """Open the inbox until the request is in it: it follows the record by a moment."""

    def there() -> bool:
        page.goto(at(links, "/inbox"))
        return page.get_by_role("link", name=subject).count() == 1

    eventually(there, f"{subject} in the inbox")


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_decide_what_awaits_them_and_see_it_gone(
    links: Links, sign_in: SignIn, decision: str
) -> None:
    subject = f"Refund to be {decision}"
    started = ask(links, approvers=[ANN, BOB], document_name=subject)
    page = sign_in(ANN)
    find(page, links, subject)
    page.get_by_role("link", name=subject).click()
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    choose(page, decision, "from my desk")
    send(page)
    said(page, decision)
    expect(page.get_by_text("The trail verifies")).to_be_visible()
    body = links.live.result(started["execution_arn"])
    assert (body["decision"], body["decided_by"]) == (decision, ANN)
    assert answers(links, started["approval_id"]) == [decision]

    page.get_by_role("link", name="Approvals").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Awaits you"))

    def gone() -> bool:
        page.reload()
        return page.get_by_role("link", name=subject).count() == 0

    eventually(gone, "end of the request")
    page.get_by_role("link", name=decision.capitalize(), exact=True).click()
    page.get_by_label("Subject").fill(subject.upper())
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name=subject)).to_be_visible()


def test_should_let_others_read_along(links: Links, sign_in: SignIn) -> None:
    approval_id = ask(links, approvers=[BOB])["approval_id"]
    page = sign_in(ANN)
    page.goto(at(links, f"/approvals/{approval_id}"))
    expect(page.get_by_text("Others are asked to decide this")).to_be_visible()
    expect(page.get_by_role("radio")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_should_have_no_accessibility_fault_and_no_sideways_scroll(
    links: Links, sign_in: SignIn, scheme: str
) -> None:
    subject = f"{scheme} {LONG}"
    ask(links, approvers=[ANN], document_name=subject)
    page = sign_in(
        ANN, bypass_csp=True, viewport={"width": 320, "height": 640}, color_scheme=scheme
    )
    find(page, links, subject)
    seen = ["/inbox", "/inbox?show=pending", "/inbox?show=cancelled&subject=nothing"]
    seen.append(str(page.get_by_role("link", name=subject).get_attribute("href")))
    for path in seen:
        page.goto(at(links, path))
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == 320
