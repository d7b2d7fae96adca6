"""`hitl local demo` around the conversation, which `tests/cli/test_demo.py` plays."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli.commands.local import demo
from hitl_approval_cli.commands.local.place import Place
from hitl_approval_cli.demo import CONTEXT
from hitl_approval_cli.local import APP_FOLDER
from tests.cli.conftest import Hitl

from .conftest import ENVIRONMENT, Cloud

Played = list[tuple[str | None, str]]


@pytest.fixture
def played(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Played:
    """What is decided, and where AWS is meanwhile."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    found: Played = []

    def play(_: Any, choice: str | None, __: Any) -> None:
        found.append((choice, os.environ["AWS_ENDPOINT_URL"]))
        if cloud.lost:
            raise KeyboardInterrupt

    monkeypatch.setattr(demo, "play", play)
    return found


@pytest.mark.parametrize(
    ("words", "terminal", "choice"),
    [
        ([], True, None),
        ([], False, "approve"),
        (["--decide", "reject"], True, "reject"),
        (["--decide", "timeout"], False, "timeout"),
        (["--decide", ""], False, "approve"),
    ],
)
def test_should_ask_only_who_can_answer(
    hitl: Hitl,
    cloud: Cloud,
    played: Played,
    words: list[str],
    *,
    terminal: bool,
    choice: str | None,
) -> None:
    result = hitl("local", "demo", *words, terminal=terminal)
    assert (result.status, result.err) == (0, "")
    assert played == [(choice, ENVIRONMENT["AWS_ENDPOINT_URL"])]
    assert cloud.stopped == 1
    assert "everything is stopped." in result.out


def test_should_deploy_our_own_app_whatever_is_here(
    hitl: Hitl, here: Place, cloud: Cloud, played: Played
) -> None:
    Path("cdk.json").write_text("{}")
    assert hitl("local", "demo").status == 0
    assert cloud.deployed == [(APP_FOLDER, CONTEXT)]
    assert cloud.started[0]["detached"] is False


def test_should_leave_the_environment_as_it_was(
    hitl: Hitl, cloud: Cloud, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    assert hitl("local", "demo").status == 0
    assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
    assert "AWS_ENDPOINT_URL" not in os.environ


def test_should_stop_everything_when_it_is_interrupted(
    hitl: Hitl, cloud: Cloud, played: Played
) -> None:
    cloud.lost = True
    result = hitl("local", "demo")
    assert result.status == 130
    assert result.err.endswith("hitl: interrupted; everything is stopped (INTERRUPTED)\n")
    assert cloud.stopped == 1


def test_should_refuse_a_decision_that_nobody_knows(hitl: Hitl, cloud: Cloud) -> None:
    result = hitl("local", "demo", "--decide", "maybe")
    assert result.status == 2
    assert result.err == "hitl: --decide: must be one of approve, reject, timeout, got 'maybe'\n"
    assert not cloud.started
