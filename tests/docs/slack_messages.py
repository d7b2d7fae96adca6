"""The messages in `docs/slack.md`, written by `make docs`: Block Kit as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hitl_approval.domain.approval import open_approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.slack import Subject, asking, dialog, ended
from hitl_approval.domain.voting import cast_vote

FILE = Path(__file__).parents[2] / "docs" / "slack.md"
START, END = "<!-- slack messages: make docs -->\n", "<!-- end of slack messages -->\n"
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


def as_text(view: Mapping[str, Any]) -> str:
    """What a reader sees of a message or a dialog."""
    return "\n".join(line for block in view["blocks"] for line in _lines(block))


def _lines(block: Mapping[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind == "actions":
        yield "  ".join(f"[ {button['text']['text']} ]" for button in block["elements"])
    elif kind == "context":
        yield from (element["text"] for element in block["elements"])
    elif kind == "input":
        optional = " (optional)" if block["optional"] else ""
        yield f"{block['label']['text']}{optional}: ____"
    elif kind == "header":
        yield f"# {block['text']['text']}"
    else:
        said = block["text"]["text"].replace("*", "")
        before, date, after = said.partition("<!date^")
        yield before + (after.partition("|")[2].replace(">", "") if date else "")


def messages() -> str:
    """What is posted, what a click opens, and what stands there in the end."""
    request = ApprovalRequest(
        subject="Refund of order 7781",
        requester="refund-agent",
        approvers=("ann@example.com", "bob@example.com"),
        context={"amount": "240.00", "currency": "EUR", "customer": {"since": 2019}},
    )
    asked = open_approval(
        request,
        approval_id="3f2a9c41d07b4e6f8a5c2b1d0e9f7a6b",
        execution_arn="arn",
        creation_token="token",
        callback_id=None,
        approvers=tuple(request.approvers),
        policy=Policy(),
        timeout=timedelta(hours=7),
        now=NOW,
    ).after
    vote = cast_vote(asked, Actor("ann@example.com", "slack"), "approved", "fine by me", now=NOW)
    assert vote is not None
    clicked = Subject(asked.approval_id, asked.content_digest, "approved")
    view = dialog(asked, clicked)
    buttons = f"[ {view['close']['text']} ]  [ {view['submit']['text']} ]"
    shown = [
        as_text({"blocks": asking(asked, page="https://approvals.example.com").blocks}),
        f"{as_text(view)}\n{buttons}",
        as_text({"blocks": ended(vote.after).blocks}),
    ]
    names = ("The message", "The dialog that a click on Approve opens", "The message at the end")
    return "".join(
        f"\n{name}:\n\n```text\n{text}\n```\n" for name, text in zip(names, shown, strict=True)
    )


def page() -> str:
    """`docs/slack.md` with its messages."""
    before, _, rest = FILE.read_text(encoding="utf-8").partition(START)
    _, end, after = rest.partition(END)
    assert end, START
    return f"{before}{START}{messages()}\n{END}{after}"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
