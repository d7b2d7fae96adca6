"""Mail scanners that open every link, run scripts and press buttons: nothing is decided."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.browser.approver import SEND, answers, ask
from tests.browser.conftest import NewPage
from tests.deployed import Links, eventually

TIMES = 20
HEAD = "fetch(location.href, {method: 'HEAD'}).then(answer => answer.status)"


def addresses(links: Links, approval_id: str) -> set[str]:
    """Every link in every message about a request."""
    texts = [links.mail(name, approval_id) for name in links.boxes]
    broadcast = eventually(lambda: links.live.messages(approval_id), "message for everybody")
    texts += [message["Message"] for message in broadcast]
    return {found for text in texts for found in re.findall(r"https?://\S+", text)}


def test_should_stay_pending_whatever_is_opened(links: Links, new_page: NewPage) -> None:
    approval_id = ask(links, context={"read": "https://example.com/a?b=c"})["approval_id"]
    page = new_page(bypass_csp=True)  # scripts of the scanner's own run
    opened = {at for at in addresses(links, approval_id) if "/a/" in at}
    assert len(opened) == 2
    for address in opened:
        for _ in range(TIMES):
            page.goto(address)
            seen = page.evaluate("Array.from(document.links, link => link.href)")
            assert seen == [f"{address}#decide", "https://example.com/a?b=c"]
            assert page.evaluate(HEAD) == 200
    assert links.live.row(approval_id)["status"]["S"] == "pending"
    assert answers(links, approval_id) == []


def submit_by_script(page: Page) -> None:
    page.evaluate("document.forms[0].submit()")


def fill_and_submit(page: Page) -> None:
    page.get_by_role("textbox", name="Comment").fill("automatic")
    submit_by_script(page)


def submit_without_checks(page: Page) -> None:
    page.evaluate("document.forms[0].noValidate = true")
    page.get_by_role("button", name=SEND).click()


def test_should_stay_pending_whatever_is_sent_without_a_choice(
    links: Links, new_page: NewPage
) -> None:
    approval_id = ask(links)["approval_id"]
    page = new_page()
    for press in (submit_by_script, fill_and_submit, submit_without_checks):
        page.goto(links.link("ann", approval_id))
        with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
            press(page)
        assert sent.value.status == 400
        page.get_by_role("alert").wait_for()
    page.goto(links.link("ann", approval_id))
    for button in page.get_by_role("button").all():  # of the form that asks back, too
        button.click()
    page.get_by_role("radio").first.press("Enter")
    assert "thread_length" not in links.live.row(approval_id), "nor is anything asked"
    assert links.live.row(approval_id)["status"]["S"] == "pending"
    assert answers(links, approval_id) == []
