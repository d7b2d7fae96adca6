"""What `up` and `demo` share: tools, the cloud's start, the CDK CLI's steps, the line for each."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hitl_approval_cli import cdk, output
from hitl_approval_cli.commands.local import deploy as commands
from hitl_approval_cli.commands.local.deploy import deploy, fetch_tools, progress, start
from hitl_approval_cli.commands.local.place import Place
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import LocalCloud, LocalCloudError, Tools, ToolsError

from .conftest import ENVIRONMENT, Cloud, Step


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    file = io.StringIO()
    monkeypatch.setattr(output, "out", Console(file=file, width=80))
    return file


@pytest.fixture(autouse=True)
def verified(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The stacks whose senders were verified."""
    found: list[object] = []
    monkeypatch.setattr(
        commands, "verify_senders", lambda environment, stacks: found.append((environment, stacks))
    )
    return found


def test_should_let_what_was_deployed_send_mails(
    here: Place, steps: dict[str, Step], out: io.StringIO, verified: list[object]
) -> None:
    deploy(here, ENVIRONMENT, {})
    assert verified == [(ENVIRONMENT, ["cdk.out"])]


def test_should_synthesize_beside_the_bootstrap(
    here: Place, steps: dict[str, Step], out: io.StringIO
) -> None:
    assert deploy(here, ENVIRONMENT, {}) == ["cdk.out"]
    assert not any(step.killed for step in steps.values())
    assert out.getvalue().count("\nok cdk ") == 2


@pytest.mark.parametrize("error", [CliError("no", code="CDK_FAILED"), KeyboardInterrupt()])
def test_should_end_the_bootstrap_when_the_app_cannot_be_synthesized(
    here: Place,
    steps: dict[str, Step],
    out: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    def finish(what: str, _: Step) -> None:
        assert what == "cdk synth"
        raise error

    monkeypatch.setattr(cdk, "finish", finish)
    with pytest.raises(type(error)):
        deploy(here, ENVIRONMENT, {})
    assert steps["bootstrap"].killed


@pytest.mark.parametrize("keep", [True, False])
def test_should_start_where_it_may_write(
    here: Place, cloud: Cloud, out: io.StringIO, *, keep: bool
) -> None:
    start(here, port=None, keep=keep, detached=True)
    assert here.folder.stat().st_mode & 0o777 == 0o700
    assert cloud.started[0]["state_dir"] == (here.folder / "state" if keep else None)


def test_should_say_where_it_may_not_write(out: io.StringIO, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(CliError) as refused:
        start(Place(tmp_path, file), port=None, keep=False, detached=True)
    assert refused.value.code == "NOT_WRITABLE"
    assert str(refused.value).endswith(": go to another folder or set HITL_LOCAL_DIR")


def test_should_pass_on_why_it_does_not_start(
    here: Place, out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise LocalCloudError("port 80 cannot be used")

    monkeypatch.setattr(LocalCloud, "start", refuse)
    with pytest.raises(CliError, match="port 80 cannot be used") as refused:
        start(here, port=80, keep=False, detached=True)
    assert refused.value.code == "LOCAL_CLOUD"


class Fetched:
    """Tools that are there, or not yet, or cannot be fetched."""

    def __init__(self, *, missing: bool, error: str = "") -> None:
        self.missing, self.error, self.fetched = missing, error, 0

    def fetch(self) -> None:
        self.fetched += 1
        if self.error:
            raise ToolsError(self.error)


@pytest.mark.parametrize("missing", [True, False])
def test_should_fetch_only_what_is_missing(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch, *, missing: bool
) -> None:
    tools = Fetched(missing=missing)
    monkeypatch.setattr(Tools, "here", lambda: tools)
    fetch_tools()
    assert tools.fetched == int(missing)
    assert ("Fetching what the local cloud runs on" in out.getvalue()) is missing


def test_should_say_why_tools_could_not_be_fetched(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tools, "here", lambda: Fetched(missing=True, error="no network"))
    with pytest.raises(CliError, match="no network") as refused:
        fetch_tools()
    assert refused.value.code == "NOT_FETCHED"


def test_should_call_nothing_done_that_failed(out: io.StringIO) -> None:
    def fail() -> None:
        with progress("Trying"):
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert out.getvalue() == "Trying ...\n"
    with progress("Trying"):
        pass
    assert "\nok Trying (" in out.getvalue()
