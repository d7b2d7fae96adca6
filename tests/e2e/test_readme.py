"""README's commands as a person types them: in a clone, in new folders and environments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval_cli.local import LocalCloud
from tests.docs.test_readme import block

from .conftest import ROOT
from .typed import type_lines
from .wheel import CleanVenv, constraints


def clone_to(folder: Path) -> Path:
    """What git tracks of this checkout, without what `make setup` brings."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone_to(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which `make setup` has been run: it has this checkout's environments."""
    folder = clone_to(tmp_path_factory.mktemp("checkout"))
    for name in (".venv", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    # Older than the set-up: make must not install the clone into this checkout's environments.
    for name in ("requirements-dev.txt", "pyproject.toml", "package-lock.json"):
        os.utime(folder / name, (0, 0))
    return folder


def environment(cloud: LocalCloud, *first: Path) -> dict[str, str]:
    """Node and the credentials of the local cloud, in place of a person's own of AWS."""
    path = os.pathsep.join([*map(str, first), str(Path(sys.executable).parent), os.environ["PATH"]])
    # Whatever npm's settings say, a person lets npx fetch the CDK CLI. pip does not compile what it
    # installs, of which little is imported: three quarters of its time.
    own = {"PATH": path, "npm_config_yes": "true", "PIP_COMPILE": "0"}
    return {**os.environ, **cloud.environment(), **own}


def test_should_demonstrate_an_approval_that_a_person_types(checkout: Path, tmp_path: Path) -> None:
    nothing_of_aws = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    shown = type_lines(
        block("Try it", "sh"),
        folder=checkout,
        environment={**nothing_of_aws, "HITL_LOCAL_DIR": str(tmp_path)},
        answers={r"open the link in a browser": "a"},
    )
    assert re.search(r"https?://\S+/a/\w", shown)
    assert "ann@example.com: approved" in shown
    assert '"decision": "approved"' in shown


def test_should_deploy_and_be_used_as_the_readme_says(
    cloud: LocalCloud, clone: Path, checkout: Path, tmp_path: Path
) -> None:
    deployed = type_lines(
        block("Deploy to AWS", "sh"), folder=clone, environment=environment(cloud), patience=600
    )
    assert "hitl-approval.WorkflowFunctionArn = " in deployed

    installed = CleanVenv.empty(tmp_path / "venv")
    locked = {"PIP_CONSTRAINT": str(constraints(tmp_path / "locked"))}
    type_lines(
        block("Install", "sh"),
        folder=checkout,
        environment={**environment(cloud, installed.folder / "bin"), **locked},
        patience=600,
    )
    assert installed.installed["hitl-approval"] == LIBRARY_VERSION
    shown = type_lines(
        block("Use it", "sh"),
        folder=tmp_path,
        environment=environment(cloud, installed.folder / "bin"),
    )

    inbox, _, after = shown.partition("Approve")
    assert "Q4 Budget Proposal" in inbox
    assert "you@example.com" in after
    assert "approved" in after
    assert "events: trails and rows verified" in after  # behind what is left of a bar
