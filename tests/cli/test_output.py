"""What goes to programs is exact, what goes to people is inert."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from rich.table import Table

from hitl_approval_cli import output

STRANGE = "[bold]a[/] \x1b[31m \u202e :bomb: " + "x" * 300


def test_should_print_one_value_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.json_line({"text": f"{STRANGE}\n"})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"text": f"{STRANGE}\n"}


def test_should_print_text_for_a_program_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.plain(STRANGE)
    assert capsys.readouterr().out == f"{STRANGE}\n"


def _consoles(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> tuple[io.StringIO, ...]:
    files = io.StringIO(), io.StringIO()
    for name, file in zip(("out", "err"), files, strict=True):
        console = Console(
            file=file, width=40, force_terminal=terminal, highlight=False, emoji=False
        )
        monkeypatch.setattr(output, name, console)
    return files


def test_should_show_a_line_inert_and_unbroken(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = _consoles(monkeypatch, terminal=True)
    output.line(STRANGE)
    output.plain_error(STRANGE)
    expected = f"[bold]a[/] \\u001b[31m \\u202e :bomb: {'x' * 300}\n"
    assert (out.getvalue(), err.getvalue()) == (expected, expected)


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (7, "7"), ("[red]a\x1b", "[red]a\\u001b")]
)
def test_should_make_any_value_safe(
    monkeypatch: pytest.MonkeyPatch, value: object, shown: str
) -> None:
    out, _ = _consoles(monkeypatch, terminal=True)
    output.out.print(output.safe(value))
    assert out.getvalue() == f"{shown}\n"


def test_should_colour_a_status_and_leave_a_strangers_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, _ = _consoles(monkeypatch, terminal=True)
    output.out.print(output.status("approved"), output.status("[red]odd"))
    assert out.getvalue() == "\x1b[1;32mapproved\x1b[0m \x1b[39m[red]odd\x1b[0m\n"


@pytest.mark.parametrize(("number", "shown"), [(0, "0 events"), (1, "1 event"), (2, "2 events")])
def test_should_count_as_people_do(number: int, shown: str) -> None:
    assert output.count(number, "event") == shown


@pytest.mark.parametrize("terminal", [True, False])
def test_should_leave_no_blanks_at_the_ends_of_a_tables_lines(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    out, _ = _consoles(monkeypatch, terminal=terminal)
    table = Table("a", "b", box=None)
    table.add_row("1", "")
    output.print_table(table)
    ends = [line.endswith(" ") for line in out.getvalue().splitlines()]
    assert any(ends) is terminal
