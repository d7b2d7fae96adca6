"""A bar on stderr in a terminal, and nothing elsewhere; `test_audit.py` runs the commands."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hitl_approval_cli import output
from hitl_approval_cli.progress import bar


def _err(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> io.StringIO:
    file = io.StringIO()
    monkeypatch.setattr(output, "err", Console(file=file, force_terminal=terminal, width=80))
    return file


def test_should_show_how_many_of_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    err = _err(monkeypatch, terminal=True)
    with bar("Reading", "events", total=lambda: 4) as advance:
        advance(1)
        advance(2)
    assert "Reading" in err.getvalue()
    assert "3/4" in err.getvalue()
    assert "events" in err.getvalue()


def test_should_not_even_count_where_nobody_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    err = _err(monkeypatch, terminal=False)

    def total() -> int:
        raise AssertionError

    with bar("Reading", "events", total=total) as advance:
        advance(1)
    assert err.getvalue() == ""


def test_should_be_gone_when_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    err = _err(monkeypatch, terminal=True)
    monkeypatch.setattr(output, "out", Console(width=80))

    def fail() -> None:
        with bar("Reading", "events"):
            output.plain("exact")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert capsys.readouterr().out == "exact\n"
    assert err.getvalue().endswith("\x1b[2K")  # the line is erased
