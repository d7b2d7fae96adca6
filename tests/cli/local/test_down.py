"""`hitl local down` ends what `up` started, and forgets it."""

from __future__ import annotations

import pytest

from hitl_approval_cli.commands.local import down
from hitl_approval_cli.commands.local.place import Place, remember, state_file
from tests.cli.conftest import Hitl

from .conftest import ENVIRONMENT, Cloud


def test_should_stop_and_forget_what_runs(
    hitl: Hitl, here: Place, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    monkeypatch.setattr(down, "stop_local_cloud", stopped.append)
    here.folder.mkdir()
    remember(here, cloud.pid, ENVIRONMENT, ["Pay"])
    result = hitl("local", "down")
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith("Stopping the local cloud ...\nok Stopping the local cloud (")
    assert result.out.endswith("\nStopped.\n")
    assert stopped == [cloud.pid]
    assert not state_file(here).exists()


def test_should_say_that_nothing_runs(hitl: Hitl, here: Place) -> None:
    result = hitl("local", "down")
    assert (result.status, result.out) == (0, "Nothing is running.\n")
