"""What the local cloud runs on, and how the wheel fetches it."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli import cdk
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import APP_FOLDER, LocalCloud, Tools, tools

from .conftest import Hitl

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
Broken = Callable[[str], None]


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text, re.MULTILINE))


def test_should_fetch_what_the_checkout_is_tested_with() -> None:
    locked = pins((ROOT / "local.lock").read_text())
    group = pins("\n".join(PROJECT["dependency-groups"]["local"]))
    assert group
    assert group.items() <= locked.items()
    assert locked.items() <= pins((ROOT / "requirements-dev.txt").read_text()).items()


def test_should_ship_what_it_is_fetched_by() -> None:
    shipped = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    folder = "hitl_approval_cli/_local/"
    files = {name for name, place in shipped.items() if place == f"{folder}{name}"}
    assert files == {"app.py", "cdk.json", "local.lock", "package.json", "package-lock.json"}
    assert all((APP_FOLDER / name).is_file() for name in files)


def test_should_need_nothing_more_in_a_checkout() -> None:
    assert APP_FOLDER == ROOT
    here = Tools.here()
    assert not here.missing
    assert here.cdk == ROOT / "node_modules" / ".bin" / "cdk"


@pytest.fixture
def from_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broken:
    """As the wheel, whose fetching runs a shell script instead of Python."""
    shipped = tmp_path / "_local"
    shipped.mkdir()
    monkeypatch.setattr(tools, "APP_FOLDER", shipped)
    monkeypatch.setattr(tools, "_SHIPPED", shipped)
    monkeypatch.setenv("HITL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def broken(script: str) -> None:
        python = tmp_path / "python"
        python.write_text(f"#!{shutil.which('sh')}\n{script}\n")
        python.chmod(0o755)
        monkeypatch.setattr("sys.executable", str(python))

    return broken


def test_should_say_in_one_line_why_nothing_was_fetched(
    from_wheel: Broken, hitl: Hitl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(**_: object) -> LocalCloud:
        raise AssertionError

    monkeypatch.setattr(LocalCloud, "start", never)
    from_wheel("echo 'Collecting ...' >&2; echo 'ERROR: no network' >&2; exit 1")
    refused = hitl("local", "up")
    assert refused.status == 1
    assert refused.err == (
        "hitl: the local cloud could not be fetched: ERROR: no network (NOT_FETCHED)\n"
    )
    assert Tools.here().missing


def test_should_say_where_it_cannot_write(
    from_wheel: Broken, hitl: Hitl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("HITL_CACHE_DIR", str(file / "below"))
    refused = hitl("local", "demo")
    assert refused.err == (
        f"hitl: the local cloud could not be fetched: {file / 'below'}: Not a directory"
        " (NOT_FETCHED)\n"
    )
    monkeypatch.undo()
    monkeypatch.setenv("HITL_LOCAL_DIR", str(file))
    refused = hitl("local", "up")
    assert refused.err.startswith(f"hitl: {file}: File exists: go to another folder or set HITL_")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("Collecting x\nERROR: no network\n", "ERROR: no network"),
        ("npm error code E\nnpm error reason: refused\nnpm error See the log", None),
        ("", "it did not say why"),
    ],
)
def test_should_pick_the_line_that_says_why(written: str, reason: str | None) -> None:
    assert tools._reason(written) == (reason or "npm error reason: refused")


def test_should_find_the_nearest_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    below = tmp_path / "lambda" / "deeper"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert cdk.nearest_app() == tmp_path
    (tmp_path / "cdk.json").unlink()
    assert cdk.nearest_app() is None


def test_should_say_that_the_cdk_is_not_there(tmp_path: Path, from_wheel: Broken) -> None:
    with pytest.raises(CliError, match="the CDK CLI is not installed"):
        cdk.start_bootstrap(tmp_path, {"AWS_REGION": "us-east-1"})


def test_should_know_the_stacks_of_an_assembly(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        """{"artifacts": {
            "Tree": {"type": "cdk:tree"},
            "Payments": {"type": "aws:cloudformation:stack", "properties": {}},
            "Named": {"type": "aws:cloudformation:stack", "properties": {"stackName": "ours"}}
        }}"""
    )
    assert cdk.stacks_in(tmp_path) == ["Payments", "ours"]
