"""A folder of the test's own for the local cloud, and clouds and deployments that are not real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli import cdk
from hitl_approval_cli.commands.local import place
from hitl_approval_cli.commands.local.place import Place
from hitl_approval_cli.local import LocalCloud

ENVIRONMENT = {"AWS_ENDPOINT_URL": "http://127.0.0.1:5", "AWS_ACCESS_KEY_ID": "a b'c"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Where no app is, with a folder for what is kept."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("HITL_LOCAL_DIR", str(tmp_path / "kept"))
    return Place.here()


class Cloud:
    """A local cloud that only notes what becomes of it."""

    pid = 4_194_305
    """Above what Linux gives to processes."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.deployed: list[tuple[Path, dict[str, str]]] = []
        self.stopped = 0
        self.lost = False
        self.fails: BaseException | None = None

    def environment(self) -> dict[str, str]:
        return dict(ENVIRONMENT)

    def stop(self) -> None:
        self.stopped += 1

    def __enter__(self) -> Cloud:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Step:
    """A command of the CDK CLI that runs."""

    def __init__(self) -> None:
        self.killed = False

    def kill(self) -> None:
        self.killed = True


@pytest.fixture
def cloud(here: Place, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """In place of the real one, and of the CDK CLI."""
    found = Cloud()

    def start(**given: Any) -> Cloud:
        found.started.append(given)
        return found

    def deployed(at: Place, environment: dict[str, str], context: dict[str, str]) -> list[str]:
        assert environment == ENVIRONMENT
        found.deployed.append((at.app, context))
        if found.fails:
            raise found.fails
        return ["hitl-approval"]

    monkeypatch.setattr(LocalCloud, "start", start)
    for module in ("up", "demo"):
        monkeypatch.setattr(f"hitl_approval_cli.commands.local.{module}.deploy", deployed)
        monkeypatch.setattr(f"hitl_approval_cli.commands.local.{module}.fetch_tools", lambda: None)
    monkeypatch.setattr(place, "is_local_cloud", lambda pid: pid == Cloud.pid and not found.stopped)
    return found


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, Step]:
    """The CDK CLI's commands, none of which is run."""
    made = {name: Step() for name in ("bootstrap", "synth", "deploy")}
    for name, step in made.items():
        monkeypatch.setattr(cdk, f"start_{name}", lambda *_, step=step: step)
    monkeypatch.setattr(cdk, "finish", lambda *_: None)
    monkeypatch.setattr(cdk, "stacks_in", lambda assembly: [assembly.name])
    return made
