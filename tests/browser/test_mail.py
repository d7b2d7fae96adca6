"""Mails as their readers see them: light, dark, narrow, without pictures and without a network."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from hitl_approval.domain.notification import Notification
from tests.browser.test_accessibility import LONG, faults
from tests.unit.mail.mailed import ENTRY, LINK, asked, asking, each_kind, html_of, read

KINDS = {**each_kind()} | {
    "hostile": asking(
        asked(
            subject=f"<img src=x onerror=alert(1)> {LONG}",
            requester=f"{'b' * 60}@example.com",
            context={LONG: LONG, "to": ["x"], "note": "a\nb"},
        ),
        entry=ENTRY,
    )
}


@pytest.fixture
def page(browser: Browser) -> Page:
    made = browser.new_page(viewport={"width": 320, "height": 640})
    made.route("http*://**", lambda route: pytest.fail(f"asked for {route.request.url}"))
    return made


def show(page: Page, notification: Notification) -> None:
    page.set_content(html_of(read(notification)))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_should_have_no_accessibility_fault_and_no_sideways_scroll(
    page: Page, kind: str, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    show(page, KINDS[kind])
    # A mail is no page of a site: landmarks are the mail program's.
    found = [each for each in faults(page) if each[1] not in {"landmark-one-main", "region"}]
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_should_lead_to_the_page_by_one_large_button(page: Page) -> None:
    show(page, KINDS["requested"])
    button = page.get_by_role("link", name="See it and answer")
    assert button.get_attribute("href") == LINK
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] < 640, "to be seen without scrolling"


def test_should_be_dark_in_dark_mode(page: Page) -> None:
    show(page, KINDS["requested"])
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert (light, page.evaluate(colour)) == ("rgb(255, 255, 255)", "rgb(18, 22, 28)")


def test_should_be_read_where_a_program_drops_all_styles(page: Page) -> None:
    mail = html_of(read(KINDS["requested"]))
    page.set_content(mail[: mail.index("<style>")] + mail[mail.index("</style>") :])
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.get_by_text("70,000.00 EUR").is_visible()


def test_should_show_the_preheader_in_lists_only(page: Page) -> None:
    show(page, KINDS["requested"])
    preheader = page.get_by_text("asks you. Answer by")
    assert preheader.count() == 1
    assert not preheader.is_visible()
