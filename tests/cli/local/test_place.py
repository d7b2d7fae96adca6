"""Where `hitl local` works, and what is noted there of a cloud that runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hitl_approval_cli import cdk
from hitl_approval_cli.commands.local.place import (
    Place,
    must_run,
    remember,
    running,
    state_file,
)
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import APP_FOLDER

from .conftest import ENVIRONMENT, Cloud


def test_should_take_the_nearest_app_and_keep_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HITL_LOCAL_DIR", raising=False)
    (tmp_path / "cdk.json").write_text("{}")
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert Place.here() == Place(tmp_path, tmp_path / ".hitl")


def test_should_take_our_own_app_where_there_is_none(here: Place, tmp_path: Path) -> None:
    assert here == Place(APP_FOLDER, tmp_path / "kept")


def test_should_keep_in_this_folder_where_nothing_else_is_said(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HITL_LOCAL_DIR")
    assert Place.here().folder == Path.cwd() / ".hitl"


@pytest.mark.parametrize(
    ("command", "by_make"), [("up", "make up"), ("env", "make -s env"), ("down", "make down")]
)
def test_should_name_make_only_in_the_checkout(
    here: Place, monkeypatch: pytest.MonkeyPatch, command: str, by_make: str
) -> None:
    assert here.how(command) == f"hitl local {command}"
    monkeypatch.setattr(cdk, "nearest_app", lambda: APP_FOLDER)
    assert here.how(command) == by_make


def test_should_remember_for_its_user_only_what_runs(here: Place, cloud: Cloud) -> None:
    here.folder.mkdir()
    state_file(here).write_text("{}")
    state_file(here).chmod(0o644)
    remember(here, cloud.pid, ENVIRONMENT, ["Pay"])
    assert stat.S_IMODE(state_file(here).stat().st_mode) == 0o600
    assert (
        must_run(here)
        == running(here)
        == {
            "pid": cloud.pid,
            "endpoint_url": ENVIRONMENT["AWS_ENDPOINT_URL"],
            "environment": ENVIRONMENT,
            "stacks": ["Pay"],
        }
    )


def test_should_remove_the_note_of_what_runs_no_more(here: Place) -> None:
    here.folder.mkdir()
    remember(here, os.getpid(), ENVIRONMENT, [])  # a process, and no local cloud
    assert running(here) is None
    assert not state_file(here).exists()


@pytest.mark.parametrize("note", [None, "", "{"])
def test_should_say_how_to_start_where_nothing_runs(here: Place, note: str | None) -> None:
    here.folder.mkdir()
    if note is not None:
        state_file(here).write_text(note)
    with pytest.raises(CliError) as refused:
        must_run(here)
    assert str(refused.value) == "nothing is running: start it with `hitl local up`"
    assert refused.value.code == "NOT_RUNNING"
