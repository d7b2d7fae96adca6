"""Set-up takes what the locks list: tomorrow, in another folder, among a stranger's settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from hitl_approval import programs
from hitl_approval.contract import LIBRARY_VERSION
from tests.tomorrow import LOCKS, pins, releases, settings_of_a_stranger

from .wheel import ROOT, distributions, run


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone after `make setup`, by somebody whose settings are against it."""
    outer = tmp_path_factory.mktemp("Ordner für 1 ")
    clone = outer / "clone"
    names = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT)
    for name in names.splitlines():
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    variables = settings_of_a_stranger(outer)
    shutil.copy(outer / "uv.toml", clone)
    done = subprocess.run(
        ["make", "setup", "wheel", f"PYTHON={sys.executable}"],
        cwd=clone,
        env={**os.environ, **variables},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return clone


def test_should_install_exactly_what_is_locked(set_up: Path) -> None:
    installed = distributions(set_up / ".venv" / "bin" / "python")
    assert installed.pop("hitl-approval") == LIBRARY_VERSION
    assert installed == pins("requirements-dev.txt")
    cdk = json.loads((set_up / "node_modules" / "aws-cdk" / "package.json").read_text())
    wanted = json.loads((set_up / "package.json").read_text())["devDependencies"]
    assert {"aws-cdk": cdk["version"]} == wanted


def test_should_run_what_it_installed(set_up: Path) -> None:
    hitl = set_up / ".venv" / "bin" / "hitl"
    assert run([str(hitl), "--version"], cwd=set_up).strip() == LIBRARY_VERSION
    node = set_up / ".venv" / "bin" / "node"
    cdk = set_up / "node_modules" / ".bin" / "cdk"
    assert re.match(r"\d+\.\d+", run([str(node), str(cdk), "--version"], cwd=set_up))


def test_should_build_the_same_wheel_as_here(set_up: Path, wheel: Path) -> None:
    [built] = (set_up / "dist").iterdir()
    assert built.name == wheel.name == f"hitl_approval-{LIBRARY_VERSION}-py3-none-any.whl"
    assert built.read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("lock", LOCKS)
def test_should_install_each_lock_from_nothing_by_its_hashes(
    lock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(releases()))
    python = [] if lock != "lambdas.lock" else ["--python-version", "3.13"]
    words = [find_uv_bin(), "pip", "sync", "--dry-run", "--require-hashes", "--target"]
    done = programs.run("uv", [*words, str(tmp_path), *python, str(ROOT / lock)])
    assert done.returncode == 0, done.stderr
    found = dict(re.findall(r"^ \+ ([a-z0-9.-]+)==(\S+)$", done.stderr, re.MULTILINE))
    assert found
    assert found.items() <= pins(lock).items()
