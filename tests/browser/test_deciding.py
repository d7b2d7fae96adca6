"""An approver decides in a real browser: from the mail's link to the resumed workflow."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.approver import SEND, answers, ask, choose, said, send
from tests.browser.conftest import NewPage, Watch
from tests.deployed import Links


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_decide_with_a_comment_and_resume_the_workflow(
    links: Links, page: Page, decision: str
) -> None:
    started = ask(links, context={"amount": 70_000, "to": {"name": "Cid"}})
    page.goto(links.link("ann", started["approval_id"]))
    expect(page.get_by_role("heading", level=1)).to_have_text("Q4 Budget Proposal")
    expect(page.get_by_role("radio", checked=True)).to_have_count(0)
    choose(page, decision, "read it twice,\non my phone")
    send(page)

    said(page, decision)
    assert "read it twice,\non my phone" in page.get_by_role("status").inner_text()
    assert "read it twice,\non my phone" in page.get_by_role("listitem").inner_text()
    expect(page.get_by_role("status")).to_contain_text(started["approval_id"])
    body = links.live.result(started["execution_arn"])
    assert (body["decision"], body["decided_by"]) == (decision, "ann")
    assert body["comments"] == "read it twice,\non my phone"


def test_should_say_that_time_is_up_to_whom_sends_too_late(links: Links, page: Page) -> None:
    started = ask(links, timeout_seconds=4)
    page.goto(links.link("ann", started["approval_id"]))
    choose(page, "approved")
    assert links.live.result(started["execution_arn"])["decision"] == "timeout"
    send(page)
    expect(page.get_by_text("Time is up: no answer is needed from you")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    assert answers(links, started["approval_id"]) == ["timeout"]


def test_should_decide_once_by_a_double_click(links: Links, page: Page) -> None:
    approval_id = ask(links)["approval_id"]
    page.goto(links.link("ann", approval_id))
    choose(page, "approved")
    page.get_by_role("button", name=SEND).dblclick()
    said(page, "approved")
    assert answers(links, approval_id) == ["approved"]


def test_should_let_the_first_of_two_approvers_win(links: Links, new_page: NewPage) -> None:
    started = ask(links)
    pages = {name: new_page() for name in ("ann", "bob")}
    for name, decision in (("ann", "approved"), ("bob", "rejected")):
        pages[name].goto(links.link(name, started["approval_id"]))
        choose(pages[name], decision)
    for each in pages.values():  # both are under way before either is answered
        each.get_by_role("button", name=SEND).click(no_wait_after=True)
    for each in pages.values():
        each.get_by_role("status").wait_for()
    body = links.live.result(started["execution_arn"])
    winner, loser = ("ann", "bob") if body["decided_by"] == "ann" else ("bob", "ann")
    said(pages[winner], body["decision"])
    ended = f"{body['decision'].capitalize()} by {winner}"
    expect(pages[loser].get_by_text(f"{ended}: no answer needed from you")).to_be_visible()
    expect(pages[loser].get_by_role("status")).to_contain_text(ended)
    assert answers(links, started["approval_id"]) == [body["decision"]]


def test_should_show_the_receipt_after_the_back_button(links: Links, page: Page) -> None:
    approval_id = ask(links)["approval_id"]
    page.goto(links.link("ann", approval_id))
    choose(page, "approved")
    send(page)
    said(page, "approved")
    page.go_back()
    said(page, "approved")
    expect(page.get_by_role("button")).to_have_count(0)
    assert answers(links, approval_id) == ["approved"]


def test_should_decide_once_however_often_the_receipt_is_reloaded(links: Links, page: Page) -> None:
    approval_id = ask(links)["approval_id"]
    page.goto(links.link("ann", approval_id))
    choose(page, "rejected", "no")
    send(page)
    said(page, "rejected")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    for _ in range(3):
        page.reload()
        said(page, "rejected")
    assert sent == ["POST"] * 3
    assert answers(links, approval_id) == ["rejected"]


def keys(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def focused(page: Page) -> Any:
    return page.evaluate("document.activeElement.value || document.activeElement.tagName")


def test_should_need_no_mouse(links: Links, page: Page) -> None:
    started = ask(links, context={"to": {"name": "Cid"}})
    page.goto(links.link("bob", started["approval_id"]))
    expect(page.get_by_text("Cid", exact=True)).to_be_visible()
    keys(page, "Tab")
    assert page.evaluate("document.activeElement.hash") == "#decide"
    keys(page, "Enter", "Tab", "Space")
    assert focused(page) == "approved"
    keys(page, "ArrowDown")
    assert focused(page) == "rejected"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    keys(page, "Tab")
    page.keyboard.type("not by mouse")
    keys(page, "Tab", "Enter")
    said(page, "rejected")
    assert links.live.result(started["execution_arn"])["comments"] == "not by mouse"


def test_should_take_three_taps_at_a_first_visit(links: Links, page: Page) -> None:
    started = ask(links, context={f"field {number}": "a few words" for number in range(15)})
    page.goto(links.link("ann", started["approval_id"]))
    steps = (
        page.get_by_role("link", name="Decide"),
        page.get_by_role("radio", name="Approve"),
        page.get_by_role("button", name=SEND),
    )
    for step in steps:
        expect(step).to_be_in_viewport()
        step.tap()
    said(page, "approved")
    assert len(steps) <= 3
    assert answers(links, started["approval_id"]) == ["approved"]


def test_should_work_without_scripts(links: Links, new_page: NewPage) -> None:
    started = ask(links)
    page = new_page(java_script_enabled=False)
    page.goto(links.link("ann", started["approval_id"]))
    page.get_by_role("radio", name="Approve").click()
    send(page)
    said(page, "approved")
    assert links.live.result(started["execution_arn"])["decision"] == "approved"


def test_should_ask_for_a_choice_before_anything_is_sent(links: Links, page: Page) -> None:
    approval_id = ask(links)["approval_id"]
    page.goto(links.link("ann", approval_id))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    send(page)
    assert page.evaluate("document.activeElement.matches('[name=decision]:invalid')")
    page.get_by_label("Comment").fill("?")
    send(page)
    assert sent == []
    assert answers(links, approval_id) == []


def test_should_be_guarded_by_its_headers(links: Links, page: Page) -> None:
    approval_id = ask(links)["approval_id"]
    answer = page.goto(links.link("ann", approval_id))
    assert answer is not None
    found = answer.headers
    policy = found["content-security-policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"} <= set(policy)
    assert "script" not in " ".join(policy)
    assert "unsafe" not in " ".join(policy)
    assert found["cache-control"] == "no-store"
    assert found["referrer-policy"] == "no-referrer"
    assert found["x-content-type-options"] == "nosniff"
    assert found["strict-transport-security"].startswith("max-age=")
    assert "set-cookie" not in found
    # The policy works: the page's own style counts, a stranger's script does not.
    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "640px"
    act = "getComputedStyle(document.documentElement).getPropertyValue('--act')"
    assert page.evaluate(act) == "#0b5c6b"  # of its organization, which is in a layer


def test_should_run_no_script_that_got_in(links: Links, browser: Browser) -> None:
    """Also shows that a violation of the policy is seen, which fails any other test here."""
    context = browser.new_context()
    watch = Watch(context)
    page = context.new_page()
    page.goto(links.link("ann", ask(links)["approval_id"]))
    with page.expect_console_message():
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.text = "document.title = 'ran'";
                document.body.append(script);
            }"""
        )
    assert page.title() == "Approve: Q4 Budget Proposal - Brightwater"
    assert any("Content Security Policy" in fault for fault in watch.faults)
    context.close()
