"""Messages that people are sent, as the local cloud keeps and shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rich.style import Style
from rich.text import Text

from hitl_approval.domain.text import inert
from hitl_approval_cli import output
from hitl_approval_cli.times import local_time

_URL = re.compile(r"https?://\S+")


def links(text: str) -> list[str]:
    """The URLs in a message."""
    return _URL.findall(inert(text))


def show_message(sent: Mapping[str, Any]) -> None:
    """A message as a person gets it, whole; no link is broken, so that a terminal opens it."""
    to = ", ".join(sent["to"])
    head = (local_time(sent["sent_at"]), sent["channel"], to)
    output.out.print(f"[dim]{output.safe('  '.join(head))}[/]", soft_wrap=True)
    output.out.print(f"[bold]{output.safe(sent['subject'])}[/]\n", soft_wrap=True)
    shown = Text(inert(sent["body"]).rstrip("\n"))
    for found in _URL.finditer(shown.plain):
        shown.stylize(Style(link=found[0], underline=True), *found.span())
    output.out.print(shown, soft_wrap=True)
    if "html" in sent:
        output.out.print(
            f"\n[dim]As HTML: hitl local mail --html {sent['number']}[/]", soft_wrap=True
        )
