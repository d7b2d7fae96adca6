"""Where `hitl local` works: the app, the folder beside it, and what runs there."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from hitl_approval_cli import cdk
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import APP_FOLDER, is_local_cloud


@dataclass(frozen=True)
class Place:
    """Where a command works.

    Attributes:
        app: the folder of the CDK app that is deployed: the nearest one, else our own.
        folder: for the local cloud's log, state and assembly.
    """

    app: Path
    folder: Path

    @classmethod
    def here(cls) -> Self:
        """The place that the folder and `HITL_LOCAL_DIR` say."""
        app = cdk.nearest_app()
        kept = os.environ.get("HITL_LOCAL_DIR")
        return cls(app or APP_FOLDER, Path(kept) if kept else (app or Path.cwd()) / ".hitl")

    def how(self, command: str) -> str:
        """What a person types for `up`, `env` or `down`."""
        if cdk.nearest_app() == APP_FOLDER and (APP_FOLDER / "Makefile").is_file():
            return "make -s env" if command == "env" else f"make {command}"
        return f"hitl local {command}"


def running(place: Place) -> dict[str, Any] | None:
    """What `up` started, if it still runs; a stale note of it is removed."""
    file = state_file(place)
    try:
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if is_local_cloud(state["pid"]):
        return state
    file.unlink(missing_ok=True)
    return None


def must_run(place: Place) -> dict[str, Any]:
    """What `up` started.

    Raises:
        CliError: nothing.
    """
    found = running(place)
    if not found:
        msg = f"nothing is running: start it with `{place.how('up')}`"
        raise CliError(msg, code="NOT_RUNNING")
    return found


def remember(place: Place, pid: int, environment: Mapping[str, str], stacks: Sequence[str]) -> None:
    """Keep what `env`, `mail` and `down` need."""
    state = {
        "pid": pid,
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "environment": dict(environment),
        "stacks": list(stacks),
    }
    file = state_file(place)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)  # it holds the cloud's key
    file.write_text(json.dumps(state), encoding="utf-8")


def state_file(place: Place) -> Path:
    """Where `remember` writes."""
    return place.folder / "local.json"
