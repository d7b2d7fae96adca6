"""Signed-in people find what awaits them, decide, and see what became of it."""

from __future__ import annotations

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
    expect(page.get_by_role("heading", level=1)).to_contain_text("Awaits you")

    def gone() -> bool:
        page.reload()
        return page.get_by_role("link", name=subject).count() == 0

    eventually(gone, "end of the request")
    page.get_by_role("link", name=decision.capitalize(), exact=True).click()
    page.get_by_label("Subject, person, document or id").fill(subject.upper())
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
    seen = ["/inbox", "/inbox?show=pending", "/inbox?show=cancelled&q=nothing"]
    seen.append(str(page.get_by_role("link", name=subject).get_attribute("href")))
    for path in seen:
        page.goto(at(links, path))
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without scripts"])
def test_should_decide_several_by_the_keyboard_and_say_what_became_of_each(
    links: Links, sign_in: SignIn, script: bool
) -> None:
    mark = f"several {script}"
    long = {"sql": "SELECT 1;\nDROP TABLE customers"}
    subjects = [f"{mark} {number}" for number in range(3)]
    started = [
        ask(links, approvers=[ANN], document_name=each, context=long if each[-1] == "2" else {})
        for each in subjects
    ]
    page = sign_in(ANN, java_script_enabled=script, viewport={"width": 320, "height": 640})
    for subject in subjects:
        find(page, links, subject)
    for subject in subjects:
        box = page.get_by_role("checkbox", name=f"Select {subject}")
        box.focus()
        page.keyboard.press("Space")
        expect(box).to_be_checked()
    page.get_by_role("radio", name="Approve").focus()
    page.keyboard.press("Space")
    page.get_by_label("One comment for all").fill("read them all")
    page.get_by_role("button", name="Send my decisions").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("2 of 3 approved")
    expect(page.get_by_text("The list does not show all of it")).to_have_count(1)
    assert [answers(links, each["approval_id"]) for each in started] == [
        ["approved"],
        ["approved"],
        [],
    ]
    page.get_by_role("link", name="Back to the list").click()
    expect(page.get_by_role("checkbox", name=f"Select {subjects[2]}")).to_be_visible()


def test_should_have_no_accessibility_fault_where_several_were_decided(
    links: Links, sign_in: SignIn
) -> None:
    subject = f"axe {LONG}"
    ask(links, approvers=[ANN], document_name=subject)
    page = sign_in(ANN, bypass_csp=True, viewport={"width": 320, "height": 640})
    find(page, links, subject)
    page.get_by_role("radio", name="Reject").check()
    page.get_by_role("button", name="Send my decisions").click()
    expect(page.get_by_role("alert")).to_have_text("Please select at least one request.")
    assert faults(page) == []
    page.get_by_role("checkbox", name=f"Select {subject}").check()
    page.get_by_role("button", name="Send my decisions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 of 1 rejected")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_should_download_the_list(links: Links, sign_in: SignIn) -> None:
    subject = "=1+1 to download"
    ask(links, approvers=[BOB], document_name=subject)
    page = sign_in(ANN)
    page.goto(at(links, "/inbox?show=pending&q=to+download"))
    with page.expect_download() as started:
        page.get_by_role("link", name="Download as CSV").click()
    written = started.value.path().read_text(encoding="utf-8")
    assert written.startswith("\ufeffapproval_id,")
    assert f",'{subject}," in written
