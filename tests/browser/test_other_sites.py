"""Pages of another site cannot frame the form, and cannot send it in an approver's name."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from hitl_approval_cli.local import LocalCloud
from tests.browser.approver import answers, ask
from tests.deployed import Links

EVIL = "http://evil.localhost:1/"


def visit(page: Page, html: str) -> None:
    page.route(EVIL, lambda route: route.fulfill(content_type="text/html", body=html))
    page.goto(EVIL)


def test_should_not_be_framed(links: Links, evil: Page) -> None:
    approval_id = ask(links)["approval_id"]
    visit(evil, f"<iframe src='{links.link('ann', approval_id)}'></iframe>")
    [_, frame] = evil.frames
    assert frame.url == "chrome-error://chromewebdata/"


def test_should_not_be_sent_from_another_site(links: Links, evil: Page) -> None:
    approval_id = ask(links)["approval_id"]
    link = links.link("ann", approval_id)
    evil.goto(link)
    # More than an attacker can know: the link, and the nonce of its form.
    nonce = evil.locator("[name=nonce]").get_attribute("value")
    visit(
        evil,
        f"<form method=post action='{link}'><input name=decision value=approved>"
        f"<input name=nonce value={nonce}><button>Win</button></form>",
    )
    evil.get_by_role("button", name="Win").click()
    expect(evil.get_by_role("heading")).to_have_text("This form was sent from another site")
    assert answers(links, approval_id) == []


def test_should_not_reach_the_local_cloud_from_another_site(
    links: Links, evil: Page, cloud: LocalCloud
) -> None:
    """Not even from an origin on this machine, and not even with the key."""
    visit(evil, "<p>an innocent page")
    functions = f"{cloud.endpoint_url}/2015-03-31/functions?X-Amz-Credential={cloud.access_key}/"
    seen = evil.evaluate("url => fetch(url).then(r => r.status, () => 'refused')", functions)
    assert seen == "refused"
    visit(evil, f"<form method=post action='{cloud.endpoint_url}/_ministack/reset'><button>Win")
    with evil.expect_navigation() as sent:
        evil.get_by_role("button", name="Win").click()
    assert sent.value is not None
    assert sent.value.status == 403
    assert ask(links)["approval_id"]  # all is still there
