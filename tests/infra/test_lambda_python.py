"""Lambda's Python is searched where people have it, and what CI demands cannot be skipped."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

import pytest

from hitl_approval_cdk.lambda_python import VERSION, find
from tests import lambda_python

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, and no uv beside the interpreter."""

    def which(name: str) -> str | None:
        return str(tmp_path / name) if (tmp_path / name).exists() else None

    monkeypatch.setattr(shutil, "which", which)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(platform, "python_version", lambda: "3.11.7")
    monkeypatch.delenv(lambda_python.REQUIRED, raising=False)
    return tmp_path


def program(path: Path, answer: str, status: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{answer}\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_should_be_the_python_that_is_deployed() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert f"DEPLOYED := .venv-{VERSION}\n" in makefile
    assert f"On Python {VERSION}, which" in makefile


def test_should_take_the_one_on_path(path: Path) -> None:
    found = program(path / "python3.13", "echo 3.13")
    assert find() == str(found)


def test_should_take_pyenvs_where_its_shim_does_not_start(path: Path) -> None:
    program(path / "python3.13", "echo no such command >&2", status=127)
    program(path / "pyenv", f'[ $1 = latest ] && echo 3.13.9 || echo "{path}/versions/$2"')
    found = program(path / "versions" / "3.13.9" / "bin" / "python3.13", "echo 3.13")
    assert find() == str(found)


def test_should_take_uvs_and_let_it_download_none(path: Path) -> None:
    found = program(path / "apart" / "python3.13", "echo 3.13")
    words = "python find --no-python-downloads --system 3.13"
    program(path / "uv", f'[ "$*" = "{words}" ] && echo {found}')
    assert find() == str(found)


def test_should_take_its_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path / "python3.13", "echo 3.13")
    monkeypatch.setattr(platform, "python_version", lambda: "3.13.1")
    assert find() == str(path / "python")


def test_should_not_take_another_version(path: Path) -> None:
    program(path / "python3.13", "echo 3.12")
    assert find() is None


@pytest.mark.parametrize(("required", "status"), [(None, 0), ("", 0), ("0", 0), ("1", 1)])
def test_should_say_that_there_is_none_and_fail_where_one_is_demanded(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    required: str | None,
    status: int,
) -> None:
    if required is not None:
        monkeypatch.setenv(lambda_python.REQUIRED, required)
    assert lambda_python.main() == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Python 3.13, which is deployed, was not found: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(("version", "again"), [("3.13.0", False), ("3.14.1", True)])
def test_should_not_run_twice_on_the_same_version(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: str,
    again: bool,
) -> None:
    found = program(path / "python3.13", "echo 3.13")
    monkeypatch.setattr(platform, "python_version", lambda: version)
    assert lambda_python.main() == 0
    assert capsys.readouterr().out == (f"{found}\n" if again else "")


def test_should_be_demanded_by_ci() -> None:
    assert f"\nexport {lambda_python.REQUIRED}=1\n" in (ROOT / ".ci" / "run").read_text()
