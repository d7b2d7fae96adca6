"""The page of a link in every state: light enough, readable by everybody, and soon at the form."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hitl_approval.testing import World, in_memory
from tests.browser.approver import SEND, choose, said, send
from tests.browser.conftest import NewPage
from tests.browser.in_memory import ENDS, REQUEST, ask, asked, link_of, serve
from tests.browser.test_accessibility import LONG, faults

MAX_WEIGHT = 30_000
"""Bytes of a page with its style, its logo and its icon."""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
FIFTEEN: dict[str, Any] = {"context": {f"field {number}": LONG[:40] for number in range(15)}}
SECRET = "; DROP TABLE customers"
LARGE = {"context": {"sql": "SELECT 1;\n" * 5_000 + SECRET}}
DIFF = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-limit = 100\n+limit = 100_000\n same\n"


@pytest.fixture
def world() -> World:
    return in_memory()


def end(world: World, name: str) -> str:
    """Bob's link to a request that has ended so."""
    return ENDS[name][0](world, ask(world))


def shown(page: Page, world: World, link: str) -> Page:
    serve(page, world)
    page.goto(link)
    return page


@pytest.mark.parametrize("name", ["open", "diff", "large", *ENDS])
@pytest.mark.parametrize("width", [320, 1280])
def test_should_have_no_fault_in_any_state(
    new_page: NewPage, world: World, name: str, width: int
) -> None:
    page = new_page(bypass_csp=True, viewport={"width": width, "height": 640})
    contexts = {"diff": {"context": {"change": DIFF}}, "large": LARGE}
    if name in ENDS:
        link = end(world, name)
    else:
        ask(world, **contexts.get(name, {}))
        link = link_of(world, "bob")
    shown(page, world, link)
    for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
        page.emulate_media(color_scheme=scheme, forced_colors=forced)  # type: ignore[arg-type]
        assert faults(page) == [], (scheme, forced)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    if width > 640:  # at 320 pixels it is zoomed to 400 % already
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert not page.locator("details:not(.turn), [hidden]").count()


@pytest.mark.parametrize("name", list(ENDS))
def test_should_say_how_it_ended_first(page: Page, world: World, name: str) -> None:
    shown(page, world, end(world, name))
    expect(page.locator(".kind")).to_have_text(ENDS[name][1])
    word = ENDS[name][1].partition(" by ")[0].partition(":")[0].removesuffix(" this")
    assert page.title() == f"{word}: {REQUEST['subject']} - Brightwater"
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("link", name="Decide")).to_have_count(0)


@pytest.mark.parametrize("name", ["open", *ENDS])
def test_should_weigh_little(page: Page, world: World, name: str) -> None:
    link = asked(world) if name == "open" else end(world, name)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url.partition(":")[0]))
    shown(page, world, link)
    assert [scheme for scheme in sent if scheme != "data"] == ["https"]  # all else is in the page
    assert 5_000 < len(page.content().encode()) <= MAX_WEIGHT


def test_should_take_a_decision_in_three_taps_at_a_first_visit(
    new_page: NewPage, world: World
) -> None:
    ask(world, **FIFTEEN)
    page = shown(new_page(**PHONE), world, link_of(world, "bob"))
    taps = 0
    for target in (
        page.get_by_role("link", name="Decide"),
        page.get_by_role("radio", name="Approve"),
        page.get_by_role("button", name=SEND),
    ):
        expect(target).to_be_in_viewport()
        target.tap()
        taps += 1
    said(page, "approved")
    assert taps <= 3


def test_should_keep_the_way_to_the_form_in_sight_on_a_phone(
    new_page: NewPage, world: World
) -> None:
    ask(world, **FIFTEEN)
    page = shown(new_page(**PHONE), world, link_of(world, "bob"))
    form = page.get_by_role("group", name="Your decision")
    expect(form).not_to_be_in_viewport()
    page.evaluate("scrollTo(0, 500)")
    page.get_by_role("link", name="Decide").tap()
    expect(form).to_be_in_viewport()
    expect(page.get_by_role("radio", name="Approve")).to_be_in_viewport()


def test_should_approve_only_at_the_end_without_scripts(new_page: NewPage, world: World) -> None:
    ask(world, **LARGE)
    page = shown(new_page(java_script_enabled=False, **PHONE), world, link_of(world, "bob"))
    for part in (1, 2):
        expect(page.get_by_text(f"you see part {part} of 3. It can be rejected")).to_be_visible()
        expect(page.get_by_role("radio")).to_have_count(1)
        page.get_by_role("link", name=f"Read on: part {part + 1} of 3").tap()
    expect(page.get_by_text(SECRET)).to_be_visible()
    choose(page, "approved")
    send(page)
    said(page, "approved")


def test_should_show_code_as_code_and_mark_a_diff_by_more_than_color(
    page: Page, world: World
) -> None:
    ask(world, context={"change": DIFF, "code": "if x:\n    y()", "one": "line"})
    shown(page, world, link_of(world, "bob"))
    expect(page.locator("ins")).to_have_text("+limit = 100_000")
    expect(page.locator("del")).to_have_text("-limit = 100")
    borders = [
        page.locator(mark).evaluate("each => getComputedStyle(each).borderLeftStyle")
        for mark in ("ins", "del")
    ]
    assert borders == ["solid", "dashed"]
    same = page.locator(".diff span").first
    assert same.evaluate("each => getComputedStyle(each).borderLeftWidth") == "0px"
    fonts = page.locator("pre").evaluate_all("all => all.map(e => getComputedStyle(e).fontFamily)")
    assert len(fonts) == 2
    assert all("monospace" in font for font in fonts)
    assert page.locator("pre").last.inner_text() == "if x:\n    y()"


def test_should_have_a_button_that_is_seen_as_one_in_forced_colors(
    page: Page, world: World
) -> None:
    shown(page, world, asked(world))
    page.emulate_media(forced_colors="active")
    button = page.get_by_role("button", name=SEND)
    width, color, ground = button.evaluate(
        "each => (s => [s.borderTopWidth, s.borderTopColor, s.backgroundColor])"
        "(getComputedStyle(each))"
    )
    assert width == "2px"
    assert color not in {ground, "rgba(0, 0, 0, 0)"}


def test_should_print_all_of_it_and_no_form(page: Page, world: World) -> None:
    shown(page, world, asked(world))
    page.emulate_media(media="print")
    expect(page.get_by_text("Nordwind Logistics", exact=True)).to_be_visible()
    expect(page.get_by_role("group", name="Your decision")).not_to_be_visible()


def test_should_show_whose_page_it_is_within_the_policy(page: Page, world: World) -> None:
    """A picture that the policy forbids is a line on the console, which `Watch` fails for."""
    shown(page, world, asked(world))
    expect(page.get_by_role("banner")).to_contain_text("Brightwater")
    assert page.locator("header img").evaluate("image => image.naturalWidth") > 0
    act = "getComputedStyle(document.documentElement).getPropertyValue('--act')"
    assert page.evaluate(act) == "#0b5c6b"
    assert str(page.locator("link[rel=icon]").get_attribute("href")).startswith("data:image/")


def test_should_open_other_sites_without_saying_from_where(new_page: NewPage, world: World) -> None:
    page = shown(new_page(), world, asked(world))
    link = page.get_by_role("link", name="https://orders.example.com/2041")
    headers: list[dict[str, str]] = []

    def answer(route: Any) -> None:
        headers.append(route.request.headers)
        route.fulfill(body="theirs", content_type="text/html")

    page.context.route("https://orders.example.com/**", answer)
    with page.context.expect_page() as opened:
        link.click()
    opened.value.wait_for_load_state()
    assert "referer" not in headers[0]
    assert opened.value.evaluate("opener") is None


def test_should_decide_nothing_for_a_scanner_that_opens_all_there_is(
    new_page: NewPage, world: World
) -> None:
    """Each link and button of the page, 20 times by GET, by HEAD and by POST without the form."""
    approval_id = ask(world, **LARGE)
    link = link_of(world, "bob")
    page = shown(new_page(bypass_csp=True), world, link)
    places = {link, *page.evaluate("Array.from(document.links, each => each.href)")}
    places |= set(page.evaluate("Array.from(document.forms, each => each.action)"))
    own = {re.sub("#.*", "", place) for place in places if "/a/" in place}
    assert len(own) >= 2
    unchanged = repr((world.store.approvals, world.store.audit, world.callbacks.completed))
    fetch = "([url, method]) => fetch(url, {method}).then(answer => answer.status)"
    for place in own:
        for method in ("GET", "HEAD", "POST") * 20:
            assert page.evaluate(fetch, [place, method]) in {200, 403, 415}
    assert unchanged == repr((world.store.approvals, world.store.audit, world.callbacks.completed))
    assert world.store.approvals[approval_id].pending
