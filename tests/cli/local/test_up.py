"""`hitl local up`, with a local cloud and a CDK CLI that are not run."""

from __future__ import annotations

import json

import pytest

from hitl_approval_cli.commands.local.place import Place, state_file
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import APP_FOLDER
from tests.cli.conftest import Hitl

from .conftest import Cloud


@pytest.mark.parametrize("port", ["0", "-1", "65536", "80000"])
def test_should_refuse_a_port_that_is_none(hitl: Hitl, port: str) -> None:
    result = hitl("local", "up", "--port", port)
    assert result.status == 2
    assert "--port" in result.err


@pytest.mark.parametrize("word", ["x", "=x", ""])
def test_should_refuse_a_context_without_a_name(hitl: Hitl, cloud: Cloud, word: str) -> None:
    result = hitl("local", "up", "-c", word)
    assert result.status == 2
    assert result.err.startswith(f"hitl: --context: must look like name=value, got {word!r}")
    assert not cloud.started


def test_should_start_deploy_and_remember(hitl: Hitl, here: Place, cloud: Cloud) -> None:
    result = hitl("local", "up", "--port", "81", "-c", "a=1", "-c", "b=x=y", "-c", "c=")
    assert (result.status, result.err) == (0, "")
    [started] = cloud.started
    assert started == {
        "port": 81,
        "state_dir": None,
        "log_file": here.folder / "cloud.log",
        "detached": True,
    }
    assert cloud.deployed == [(APP_FOLDER, {"a": "1", "b": "x=y", "c": ""})]
    assert "The stack hitl-approval runs at http://127.0.0.1:5." in result.out
    assert "hitl local down" in result.out
    assert json.loads(state_file(here).read_text())["stacks"] == ["hitl-approval"]
    assert not cloud.stopped


def test_should_deploy_again_into_what_runs(hitl: Hitl, here: Place, cloud: Cloud) -> None:
    assert hitl("local", "up").status == 0
    result = hitl("local", "up", "-c", "a=2")
    assert result.out.startswith("Already running at http://127.0.0.1:5.\n")
    assert len(cloud.started) == 1
    assert [context for _, context in cloud.deployed] == [{}, {"a": "2"}]


def test_should_keep_state_and_say_when_it_was_lost(hitl: Hitl, here: Place, cloud: Cloud) -> None:
    cloud.lost = True
    result = hitl("local", "up", "--keep")
    assert cloud.started[0]["state_dir"] == here.folder / "state"
    assert "killed or stopped in the middle of a deployment: it starts anew" in result.err
    assert result.status == 0


@pytest.mark.parametrize(
    ("error", "status"), [(CliError("no", code="CDK_FAILED"), 1), (KeyboardInterrupt(), 130)]
)
def test_should_leave_no_cloud_without_its_stack(
    hitl: Hitl, here: Place, cloud: Cloud, error: BaseException, status: int
) -> None:
    cloud.fails = error
    assert hitl("local", "up").status == status
    assert cloud.stopped == 1
    assert not state_file(here).exists()
