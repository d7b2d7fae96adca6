"""What strangers write is shown and never acts: in the page, in the mail and in `hitl get`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from hitl_approval.domain.request_values import MAX_CONTEXT_BYTES
from tests.browser.approver import ask, choose, said, send
from tests.deployed import Links

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
SUBJECT = f"{SCRIPT} 🚀 :rocket: [bold]b[/] {{{{ 7 * 7 }}}} https://evil.example/a/x"
RTL = "pay \u202e001 rof\u202c \u2066x\u2069"
CONTEXT = {
    SCRIPT: f"'\"></textarea></style>{SCRIPT}",
    "rtl": RTL,
    "lines": "one\ntwo\r\nthree\u2028four\x1b[2J",
    "url": "javascript:alert(3) https://evil.example",
    "emoji": "👩\u200d🚀 :boom:",
}
ESCAPED_RTL = "pay \\u202e001 rof\\u202c \\u2066x\\u2069"


def filled() -> dict[str, str]:
    """The context as large as it may be."""
    room = MAX_CONTEXT_BYTES - len(json.dumps(CONTEXT, ensure_ascii=False).encode()) - 100
    return CONTEXT | {"z": "é" * (room // 2 - 1) + "ü"}


def test_should_show_hostile_content_inert_everywhere(
    links: Links, page: Page, environment: dict[str, str]
) -> None:
    request = {"document_name": SUBJECT, "requester": f"{SCRIPT}@x", "context": filled()}
    approval_id = ask(links, **request)["approval_id"]

    mail = links.mail("ann", approval_id)
    assert f"What       {SUBJECT}\n" in mail
    assert len(mail) < 10_000
    # No dialog, no request elsewhere: `Watch` fails for either.
    page.goto(links.link("ann", approval_id))
    expect(page.get_by_role("heading", level=1)).to_have_text(SUBJECT)
    assert page.evaluate("document.querySelectorAll('script, img, iframe').length") == 0
    opens = "Array.from(document.links, link => link.hostname)"
    text, ours = page.inner_text("main"), page.evaluate("location.hostname")
    assert set(page.evaluate(opens)) == {ours, "evil.example"}
    for shown in (
        f"{SCRIPT}@x",
        f"'\"></textarea></style>{SCRIPT}",
        ESCAPED_RTL,
        "one\ntwo\nthree\\u2028four\\u001b[2J",
        "javascript:alert(3) https://evil.example (opens evil.example)",
        "👩\u200d🚀 :boom:",
    ):
        assert shown in text, shown
    assert "\u202e" not in mail + text
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    for part in range(2, 5):
        expect(page.get_by_role("radio", name="Approve")).to_have_count(0)
        page.get_by_role("link", name=f"Read on: part {part} of 4").click()
        expect(page.get_by_text(f"you see part {part} of 4")).to_be_visible()
    assert "ü" in page.inner_text("main")
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    hitl = Path(sys.executable).with_name("hitl")
    words = [hitl, "get", approval_id, "--stack", links.live.stack]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    flat = "".join(done.stdout.split())
    for shown in (SUBJECT, json.dumps(CONTEXT["lines"])[1:5], ESCAPED_RTL, ":boom:"):
        assert "".join(shown.split()) in flat, shown
    assert not {"\u202e", "\x1b", "\r"} & set(done.stdout)

    choose(page, "approved", f"</textarea>{SCRIPT}")
    send(page)
    said(page, "approved")
    expect(page.get_by_role("status").locator("blockquote")).to_have_text(f"</textarea>{SCRIPT}")
