"""A message as a person gets it: inert, whole, and with links that a terminal opens."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hitl_approval_cli import output
from hitl_approval_cli.messages import links, show_message

LINK = f"https://api.example.com/a/{'d' * 32}.{'t' * 43}"
SENT = {
    "sent_at": "2026-01-02T03:04:05+00:00",
    "channel": "email",
    "to": ["ann@example.com", "[red]bob"],
    "subject": "[bold]Q4",
    "body": f"Read \x1b[31m it:\n  {LINK}\n\n",
}


def test_should_find_the_links_in_the_order_in_which_they_stand() -> None:
    assert links(f"one http://a.example/x two\n{LINK}\nnone ftp://x") == [
        "http://a.example/x",
        LINK,
    ]
    assert links("none") == []


def test_should_find_no_escape_in_a_link() -> None:
    (found,) = links("http://a.example/\x1b[31m")
    assert "\x1b" not in found


def _shown(monkeypatch: pytest.MonkeyPatch, **options: bool) -> str:
    file = io.StringIO()
    monkeypatch.setattr(output, "out", Console(file=file, width=40, emoji=False, **options))  # type: ignore[arg-type]
    show_message(SENT)
    return file.getvalue()


def test_should_show_it_whole_and_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    head, subject, blank, *body = _shown(monkeypatch).splitlines()
    assert head.endswith("  email  ann@example.com, [red]bob")
    assert (subject, blank) == ("[bold]Q4", "")
    assert body == ["Read \\u001b[31m it:", f"  {LINK}"]  # wider than the terminal, not broken


def test_should_let_a_terminal_open_its_link(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _shown(monkeypatch, force_terminal=True)
    assert f";{LINK}\x1b\\" in shown  # OSC 8, as terminals take a link
