"""The pictures of page and mail in `docs/screens/`: the real ones, of a request in memory."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, ViewportSize, sync_playwright

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.signed_in import handle as signed_in
from hitl_approval.testing import World, in_memory
from tests.anything import any_opening, any_request, declared
from tests.browser.approver import choose, send
from tests.browser.conftest import WANTED, chromium
from tests.browser.in_memory import BRIGHTWATER, ENDS, HOST, ask, asked, link_of, serve
from tests.browser.png import smaller
from tests.unit.mail.mailed import each_kind, html_of, read

FOLDER = Path(__file__).parents[2] / "docs" / "screens"
ANN, BOB = "ann@example.com", "bob@example.com"
PHONE: ViewportSize = {"width": 390, "height": 700}
DESKTOP: ViewportSize = {"width": 900, "height": 700}


VALUES: dict[str, Any] = {
    "subject": "Pay Nordwind Logistics",
    "editable": ["amount"],
    "form": {
        "type": "object",
        "properties": {
            "cost_center": {
                "type": "string",
                "title": "Cost center",
                "enum": ["4100", "4200"],
                "enumNames": ["Operations", "Marketing"],
            },
            "reason": {"type": "string", "title": "Why", "minLength": 10},
        },
        "required": ["cost_center", "reason"],
    },
}
"""What the picture of a form asks."""


def inbox_of(world: World) -> None:
    """What awaits ann: three requests, which expire one after the other; bob has answered one."""
    for hours, subject, requester, context in (
        (2, "Publish the press release on Nordwind", "kim@example.com", {"channel": "website"}),
        (8, "Pay 70,000 EUR to Nordwind Logistics", "rita@example.com", {"amount": "70,000 EUR"}),
        (47, "Delete the customer data of 2015", "privacy-bot", {"sql": "DELETE\nFROM customers"}),
    ):
        request = any_request(
            subject=subject, requester=requester, approvers=(ANN, BOB), context=context
        )
        approval = world.store.create(
            any_opening(
                now=world.clock.now(),
                request=request,
                policy=Policy(quorum=Quorum.at_least(2)),
                timeout=timedelta(hours=hours, minutes=12),
            )
        )
        world.inbox.add(approval, (ANN,))
        if hours == 8:
            world.decisions.decide(approval.approval_id, declared(BOB), "approved")
    world.clock.advance(timedelta(minutes=18))


def serve_signed_in(page: Page, world: World) -> None:
    """Let the function for signed-in people answer ann."""
    claims = {"sub": "1", "email": ANN, "email_verified": "true"}

    def answer(route: Route) -> None:
        event = {
            "routeKey": "GET /inbox",
            "requestContext": {"authorizer": {"jwt": {"claims": claims}}, "domainName": HOST},
        }
        made = signed_in(event, lambda: world.decisions, organization=BRIGHTWATER)
        route.fulfill(status=made["statusCode"], headers=made["headers"], body=made["body"])

    page.route("**/*", answer)


def main() -> None:
    executable = chromium() or sys.exit(WANTED)
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)

        def opened(size: ViewportSize, scheme: str = "light") -> Page:
            world = in_memory()
            page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            serve(page, world)
            page.goto(asked(world))
            return page

        def take(page: Page, name: str, *, full: bool = True) -> None:
            (FOLDER / f"{name}.png").write_bytes(smaller(page.screenshot(full_page=full)))

        take(opened(PHONE), "page-phone")
        take(opened(PHONE, "dark"), "page-dark")
        page = opened(DESKTOP)
        choose(page, "approved", "Checked against the contract.")
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        take(page, "page-desktop")
        page = opened(PHONE)
        choose(page, "approved", "Checked against the contract.")
        send(page)
        page.get_by_role("status").wait_for()
        take(page, "page-receipt")
        for end in ("approved", "rejected", "withdrawn", "timed-out"):
            page, world = browser.new_page(viewport=PHONE), in_memory()
            serve(page, world)
            page.goto(ENDS[end][0](world, ask(world)))
            take(page, f"page-{end}", full=False)
        for name, width, scheme in (
            ("light", 640, "light"), ("dark", 640, "dark"), ("narrow", 320, "light"),
        ):  # fmt: skip
            page = browser.new_page(
                viewport={"width": width, "height": 400},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            page.set_content(html_of(read(each_kind()["requested"])))
            take(page, f"mail-{name}")
        page, world = browser.new_page(viewport=PHONE), in_memory()
        serve(page, world)
        ask(world, **VALUES)
        page.goto(link_of(world, "bob"))
        choose(page, "approved", "")
        page.get_by_label("Why", exact=True).fill("short")
        page.get_by_label("amount").fill("35000")
        send(page)
        page.get_by_role("alert").wait_for()
        (FOLDER / "page-values.png").write_bytes(
            smaller(page.locator("fieldset").first.screenshot())
        )
        page, world = browser.new_page(viewport=DESKTOP), in_memory()
        inbox_of(world)
        serve_signed_in(page, world)
        page.goto(f"https://{HOST}/inbox")
        take(page, "inbox")
        browser.close()


if __name__ == "__main__":
    main()
