"""A deep link, the sign-in, the decision and the sign-out, in a browser that nobody prepared."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from hitl_approval.contract import Output
from hitl_approval_cli.local import LocalCloud, invite_person
from tests.browser.approver import choose, said, send
from tests.browser.conftest import NewPage
from tests.browser.test_accessibility import faults
from tests.browser.test_other_sites import visit
from tests.deployed import PASSWORD, Deploy, Live, add_person, eventually

ANN, BOB = "ann@example.com", "bob@example.com"


@pytest.fixture(scope="session")
def signing(deploy: Deploy) -> Live:
    """The app with a user pool of its own, in which there are two people."""
    live = deploy("app-sign-in", sign_in="cognito", approvers=f"{ANN},{BOB}")
    pool = live.deployment.output(Output.SIGN_IN_ISSUER).rpartition("/")[2]
    for name in (ANN, BOB):
        add_person(live.deployment.client("cognito-idp"), pool, name)
    return live


def address(live: Live, path: str = "") -> str:
    return live.deployment.output(Output.PAGE_URL) + path


def sign_in(page: Page, name: str = ANN) -> None:
    """Fill in the user pool's form."""
    expect(page).to_have_title("Sign in")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    signed_out(page)


def signed_out(page: Page) -> None:
    """The browser is back from the user pool; the page before that says nearly the same."""
    expect(page.get_by_role("main").get_by_role("link", name="Sign in", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/sign-out$"))
    expect(page.get_by_role("heading")).to_have_text("You are signed out")


@pytest.mark.parametrize("script", [True, False], ids=["with scripts", "without scripts"])
def test_should_go_from_a_deep_link_to_a_decision_and_out_again(
    signing: Live, new_page: NewPage, script: bool
) -> None:
    started = signing.submit(document_name="Refund of 70")
    path = f"/approvals/{started['approval_id']}"
    page = new_page(
        viewport={"width": 390, "height": 844}, has_touch=True, java_script_enabled=script
    )
    page.goto(address(signing, path))
    sign_in(page)
    expect(page).to_have_url(address(signing, path))
    choose(page, "approved", "as myself")
    send(page)
    said(page, "approved")
    body = signing.result(started["execution_arn"])
    assert (body["decision"], body["decided_by"]) == ("approved", ANN)
    [vote] = signing.row(started["approval_id"])["votes"]["L"]
    assert vote["M"]["identity"]["S"] == "jwt"
    sign_out(page)
    page.goto(address(signing, path))
    expect(page).to_have_title("Sign in")
    page.context.clear_cookies()  # of the sign-in that was begun


def test_should_show_nothing_to_who_goes_back(signing: Live, new_page: NewPage) -> None:
    signing.submit(document_name="Secret plan")
    page = new_page()
    page.goto(address(signing, "/inbox?show=pending"))
    sign_in(page)
    expect(page.get_by_role("link", name="Secret plan")).to_be_visible()
    sign_out(page)
    page.go_back()
    expect(page.get_by_text("Secret plan")).to_have_count(0)
    page.context.clear_cookies()


def test_should_lead_from_the_bare_address_to_the_inbox(signing: Live, new_page: NewPage) -> None:
    started = signing.submit(document_name="Bare address")
    page = new_page()
    page.goto(address(signing))
    sign_in(page, BOB)
    expect(page).to_have_url(address(signing, "/inbox"))

    def there() -> bool:
        page.reload()
        return page.get_by_role("link", name="Bare address").count() == 1

    eventually(there, f"{started['approval_id']} in the inbox")
    sign_out(page)


def test_should_not_be_decided_or_signed_out_by_another_site(
    signing: Live, new_page: NewPage, evil: Page
) -> None:
    """The cookie does not come along, and if it did, the browser says who has sent the form."""
    approval_id = signing.submit(document_name="Evil")["approval_id"]
    at = address(signing, f"/approvals/{approval_id}")
    evil.goto(at)
    sign_in(evil)
    nonce = evil.locator("form:has(fieldset) [name=nonce]").get_attribute("value")
    leave = evil.locator("form.leave [name=nonce]").get_attribute("value")
    for action, value, choice in (
        (at, nonce, "approved"),
        (address(signing, "/sign-out"), leave, ""),
    ):
        visit(
            evil,
            f"<form method=post action='{action}'><input name=decision value='{choice}'>"
            f"<input name=nonce value={value}><button>Win</button></form>",
        )
        evil.get_by_role("button", name="Win").click()
        expect(evil.get_by_role("heading", level=1)).to_have_text(
            re.compile("Please sign in again|This form was sent from another site")
        )
    assert signing.events(approval_id) == ["requested"]
    evil.goto(at)
    expect(evil.get_by_role("radio", name="Approve")).to_be_visible()
    evil.context.clear_cookies()


def test_should_open_the_inbox_of_the_local_cloud_signed_in_as_somebody(
    signing: Live, cloud: LocalCloud, new_page: NewPage
) -> None:
    """By the same flow: only the user pool asks nobody."""
    pool = signing.deployment.output(Output.SIGN_IN_ISSUER).rpartition("/")[2]
    inbox = address(signing, "/inbox")
    link = invite_person(cloud.environment(), pool=pool, name=BOB, leads_to=inbox)
    page = new_page()
    page.goto(link)
    expect(page).to_have_url(inbox)
    expect(page.get_by_role("navigation")).to_contain_text(BOB)
    page.goto(link)
    expect(page.get_by_text("This link opens once")).to_be_visible()
    page.goto(inbox)
    sign_out(page)
    page.goto(inbox)  # signed out at the user pool, too
    expect(page).to_have_title("Sign in")
    page.context.clear_cookies()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_should_have_no_accessibility_fault_on_its_own_pages(
    signing: Live, new_page: NewPage, scheme: str
) -> None:
    page = new_page(bypass_csp=True, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page.goto(address(signing, "/sign-in/callback?state=a&code=b"))
    expect(page.get_by_role("heading")).to_have_text("This sign-in was not begun in this browser")
    assert faults(page) == []
    page.get_by_role("link", name="Sign in").press("Enter")
    sign_in(page)
    for path in ("/inbox", "/sign-out"):
        page.goto(address(signing, path))
        assert faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("main").get_by_role("button", name="Sign out").press("Enter")
    signed_out(page)
    assert faults(page) == []
