"""`hitl` where the extra that it needs is missing, and where it is stopped before it has begun."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from hitl_approval_cli import entry, main


def test_should_run_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[bool] = []
    monkeypatch.setattr(main, "main", lambda: run.append(True))
    entry.main()
    assert run == [True]


def _import_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    stock = builtins.__import__

    def import_(name: str, *rest: Any) -> Any:
        if name == "hitl_approval_cli.main":
            raise error
        return stock(name, *rest)

    monkeypatch.setattr(builtins, "__import__", import_)


def test_should_say_which_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    _import_raises(monkeypatch, ModuleNotFoundError("no typer", name="typer"))
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == (
        'hitl: typer is not installed: install hitl-approval with its extra "cli"'
    )


def test_should_end_as_by_a_signal_when_it_is_interrupted_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _import_raises(monkeypatch, KeyboardInterrupt())
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == ""
