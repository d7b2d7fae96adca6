"""The two streams: JSON and plain text for programs, text without escapes for people."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hitl_approval.domain.text import inert

STYLES = {
    "pending": "yellow",
    "requested": "yellow",
    "voted": "yellow",
    "commented": "cyan",
    "approved": "bold green",
    "rejected": "bold red",
    "notification_failed": "bold red",
    "timeout": "magenta",
    "cancelled": "dim",
}

PIPED_WIDTH = 240
"""Columns when no terminal says how many it has: a program that reads tables wants them whole."""


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A terminal that shows what it is given: no colours by guess, no `:bomb:` for a picture."""
    return Console(stderr=stderr, width=width, highlight=False, emoji=False)


_in_terminal = sys.stdout is not None and sys.stdout.isatty()  # None where it is closed
out = console(width=None if _in_terminal else PIPED_WIDTH)
err = console(stderr=True)


def json_line(value: Any) -> None:
    """One JSON value on one line."""
    print(json.dumps(value))  # noqa: T201  stdout is the product here, unwrapped and uncoloured


def plain(text: str) -> None:
    """Text for a program, as it is."""
    print(text)  # noqa: T201  stdout is the product here


def utf8(text: str) -> None:
    """A file on stdout, in UTF-8 whatever a terminal would be written in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def plain_error(line: str) -> None:
    """A message on stderr, inert, neither wrapped nor coloured."""
    err.print(inert(line), markup=False, soft_wrap=True)


def line(text: str) -> None:
    """One line on stdout, as it is."""
    out.print(inert(text), markup=False, soft_wrap=True)


def safe(value: Any) -> str:
    """A stranger's text, inert in a terminal: no escapes, no direction marks, no markup."""
    return escape(inert("" if value is None else str(value)))


def status(value: str) -> str:
    """A status or event in its colour."""
    return f"[{STYLES.get(value, 'default')}]{safe(value)}[/]"


def count(number: int, noun: str) -> str:
    """How many there are, for people: 1 event, 2 events."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def print_table(table: Table) -> None:
    """A table; without blanks at the ends of its lines where it goes to a file or a program."""
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    out.file.write("".join(f"{row.rstrip()}\n" for row in captured.get().splitlines()))
