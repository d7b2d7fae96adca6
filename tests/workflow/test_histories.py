"""What an earlier version began, today's code ends: every recorded execution, from every cut.

A red test here means that an edit breaks executions in flight. Histories of a released version are
never recorded again; see CONTRIBUTING.md.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import aws_durable_execution_sdk_python.state as sdk_state
import pytest

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.durable import document, wait

from . import history
from .history import HISTORIES, ROUTES, repeat_end, resume
from .record import main

RECORDED = sorted(HISTORIES.glob("*/*.json"))


@pytest.fixture(autouse=True)
def no_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_state, "_STOP_SIGNAL_POLL_SECONDS", 0.0005)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", RECORDED, ids=_name)
def test_should_resume_what_an_earlier_version_began(path: Path) -> None:
    recorded = _read(path)
    for cut in range(len(recorded["cuts"])):
        resume(recorded, cut)


@pytest.mark.parametrize("path", RECORDED, ids=_name)
def test_should_do_nothing_again_of_what_has_ended(path: Path) -> None:
    repeat_end(_read(path))


def test_should_have_every_route_of_this_version_on_record() -> None:
    folder = HISTORIES / LIBRARY_VERSION
    assert {path.stem for path in folder.glob("*.json")} == {route.name for route in ROUTES}


def test_should_refuse_to_record_a_version_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / LIBRARY_VERSION).mkdir()

    assert main([], tmp_path) == 1

    assert "on record already" in capsys.readouterr().err
    assert list(tmp_path.rglob("*.json")) == []


def test_should_record_the_same_again() -> None:
    route = next(route for route in ROUTES if route.name == "approved-after-a-second-callback")

    assert history.record(route) == history.record(route)


RENAMED = ('"create",\n', '"make",\n')
CREATE = "        try:\n            snapshot: Snapshot = self._step(\n"
INSERTED = (CREATE, '        self._step("measure", lambda: 1, 1)\n' + CREATE)
REGISTER = """\
            snapshot = self._step("register", self._register(callback.callback_id), READ_ATTEMPTS)
            known_now = _time(snapshot, "now")
"""
TELL_AGAIN = """\
            if not self.notified:
                self._notify("notify-again")
"""
SWAPPED = (REGISTER + TELL_AGAIN, TELL_AGAIN + REGISTER)


@pytest.mark.parametrize(
    ("edit", "route"),
    [
        pytest.param(RENAMED, "approved", id="an operation renamed"),
        pytest.param(INSERTED, "approved", id="a step inserted before create"),
        pytest.param(SWAPPED, "notified-at-a-later-check", id="register and notify-again swapped"),
    ],
)
def test_should_see_an_edit_that_breaks_what_is_in_flight(
    edit: tuple[str, str], route: str
) -> None:
    recorded = _read(HISTORIES / "0.1.0" / f"{route}.json")
    last = len(recorded["cuts"]) - 1
    with _edited(*edit):
        with pytest.raises(AssertionError, match="Non-deterministic operation identity"):
            resume(recorded, last)
        with pytest.raises(AssertionError, match="Non-deterministic operation identity"):
            repeat_end(recorded)


@contextmanager
def _edited(old: str, new: str) -> Iterator[None]:
    """`wait_for_approval` as it would be after an edit of its source."""
    source = inspect.getsource(wait)
    assert source.count(old) == 1
    module = ModuleType("hitl_approval.durable.wait")
    exec(compile(source.replace(old, new), "edited", "exec"), module.__dict__)
    with (
        patch.object(document, "wait_for_approval", module.__dict__["wait_for_approval"]),
        patch.object(history, "wait", module),
    ):
        yield
