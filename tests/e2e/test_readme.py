"""README's commands as a person types them: a clone in a new folder, the wheel in a new venv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hitl_approval_cli.local import LocalCloud

from .conftest import ROOT
from .typed import type_lines
from .wheel import CleanVenv

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(section: str) -> str:
    """The first block of commands below a heading."""
    found = re.search(rf"^## {section}\n.*?^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks of this checkout, without what `make setup` brings."""
    folder = tmp_path_factory.mktemp("clone")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def environment(cloud: LocalCloud, *first: Path) -> dict[str, str]:
    """Node and the credentials of the local cloud, in place of a person's own of AWS."""
    path = os.pathsep.join([*map(str, first), str(Path(sys.executable).parent), os.environ["PATH"]])
    # Whatever npm's settings say, a person lets npx fetch the CDK CLI.
    return {**os.environ, **cloud.environment(), "PATH": path, "npm_config_yes": "true"}


def test_should_deploy_and_be_used_as_the_readme_says(
    cloud: LocalCloud, clone: Path, wheel: Path, tmp_path: Path
) -> None:
    deployed = type_lines(
        block("Deploy to AWS"), folder=clone, environment=environment(cloud), patience=600
    )
    assert "hitl-approval.WorkflowFunctionArn = " in deployed

    installed = CleanVenv.make(tmp_path / "venv", wheel, "[cli]")
    install, used = block("Use it").split("\n", 1)
    assert wheel.name in install
    shown = type_lines(
        used, folder=tmp_path, environment=environment(cloud, installed.folder / "bin")
    )

    inbox, _, after = shown.partition("Approve")
    assert "Q4 Budget Proposal" in inbox
    assert "you@example.com" in after
    assert "approved" in after
    assert "events: trails and rows verified" in after  # behind what is left of a bar
