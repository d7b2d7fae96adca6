"""What `pip install hitl-approval` brings is what this checkout holds, and works without it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.tomorrow import pins, releases, settings_of_a_stranger

from .conftest import eventually
from .wheel import ROOT, CleanVenv, constraints, distributions, run

APPS = Path(__file__).parent / "apps"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def runtime(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> CleanVenv:
    return CleanVenv.make(tmp_path_factory.mktemp("runtime") / "venv", wheel)


def test_should_need_boto3_and_the_durable_sdk_and_nothing_else(runtime: CleanVenv) -> None:
    names = {re.split(r"[^a-z0-9-]", line)[0] for line in PROJECT["dependencies"]}
    assert names == {"boto3", "aws-durable-execution-sdk-python"}
    of_boto3 = {"botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
    assert runtime.installed.keys() == {"hitl-approval", *names, *of_boto3}


def test_should_ask_without_cdk_and_without_the_command(runtime: CleanVenv, tmp_path: Path) -> None:
    code = (
        "from hitl_approval import wait_for_approval, ApprovalRequest, Quorum\n"
        "ApprovalRequest(subject='Q4', requester='ann', quorum=Quorum.any_one())\n"
        "assert callable(wait_for_approval)\n"
        "from hitl_approval.testing import in_memory; in_memory()"
    )
    runtime.run("-c", code, cwd=tmp_path)


def test_should_say_what_the_command_needs(runtime: CleanVenv, tmp_path: Path) -> None:
    hitl = [str(runtime.folder / "bin" / "hitl"), "list"]
    done = subprocess.run(hitl, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert (
        done.stderr == 'hitl: typer is not installed: install hitl-approval with its extra "cli"\n'
    )


def test_should_be_typed(runtime: CleanVenv) -> None:
    [packages] = runtime.folder.glob("lib/python*/site-packages")
    for package in ("hitl_approval", "hitl_approval_cdk", "hitl_approval_cli"):
        assert (packages / package / "py.typed").is_file(), package


def test_should_deploy_the_same_bytes_as_the_checkout(
    with_cdk: CleanVenv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that is kept already would stand for the other's.
    monkeypatch.setenv("HITL_CACHE_DIR", str(tmp_path / "caches"))
    installed = synth(with_cdk, tmp_path / "installed")
    monkeypatch.undo()
    ours = synth(CleanVenv(Path(sys.prefix)), tmp_path / "ours")
    assert assets(installed) == assets(ours)
    assert len(assets(ours)) == 2  # the functions' bundle and the layer
    for stack in ("hitl-approval", "Payments"):
        assert keys(installed, stack) == keys(ours, stack)


def test_should_synthesize_with_the_lowest_versions_that_it_declares(
    wheel: Path, tmp_path: Path
) -> None:
    requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["cdk"]
    lowest = ("--resolution", "lowest-direct")
    venv = CleanVenv.make(tmp_path / "venv", wheel, "[cdk]", *requirements, *lowest, at="<=")
    for requirement in requirements:
        name, version = re.split(r">=|,", requirement)[:2]
        assert f"{venv.installed[name]}.".startswith(f"{version}."), requirement
    assert keys(synth(venv, tmp_path / "app"), "Payments")


def test_should_type_its_public_names_for_others(with_cdk: CleanVenv, tmp_path: Path) -> None:
    page = tmp_path / "theirs.py"
    page.write_bytes((APPS / "public_api.py").read_bytes())
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull),
            # Where `make lint` has left CDK's types checked: by far the longest part.
            *("--cache-dir", str(ROOT / ".mypy_cache"), "--python-version", "3.11"),
            *("--python-executable", str(with_cdk.python), page.name),
        ],
        cwd=tmp_path,
        env=with_cdk.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_should_run_the_local_cloud_in_any_folder_after_pip_install(
    wheel: Path, tmp_path: Path
) -> None:
    venv, nowhere = CleanVenv(tmp_path / "venv"), tmp_path / "nowhere"
    nowhere.mkdir()
    run([sys.executable, "-m", "venv", str(venv.folder)], cwd=nowhere)
    locked = ("--find-links", str(releases()), "--constraint", str(constraints(venv.folder)))
    venv.run("-m", "pip", "install", "--quiet", f"{wheel}[cli]", *locked, cwd=nowhere)
    variables = {k: v for k, v in venv.environment.items() if not k.startswith("AWS_")}
    variables |= settings_of_a_stranger(tmp_path)
    variables["HITL_CACHE_DIR"] = str(tmp_path / "cache")

    def hitl(*words: str) -> str:
        return run([str(venv.folder / "bin" / "hitl"), *words], cwd=nowhere, env=variables)

    try:
        up = hitl("local", "up")
        assert "Fetching what the local cloud runs on" in up
        assert "hitl local down" in up  # no word of make
        variables |= dict(re.findall(r"^export (\w+)=(\S+)$", hitl("local", "env"), re.MULTILINE))
        approval_id = hitl("submit", "--subject", "Release 7").strip()
        eventually(lambda: approval_id in hitl("list"), "request")
        assert "approved by ann" in hitl("approve", approval_id, "--yes", "--as", "ann")
    finally:
        assert "Stopped." in hitl("local", "down")
    assert [path.name for path in nowhere.iterdir()] == [".hitl"]
    [tools] = (tmp_path / "cache").glob("local-*/bin/python")
    assert distributions(tools) == pins("local.lock")


def synth(venv: CleanVenv, folder: Path) -> Path:
    """The cloud assembly of an app that uses every feature, far from the checkout."""
    folder.mkdir()
    app = folder / "app.py"
    app.write_bytes((APPS / "everything.py").read_bytes())
    assembly = folder / "cdk.out"
    venv.run(str(app), cwd=folder, CDK_OUTDIR=str(assembly))
    return assembly


def assets(assembly: Path) -> dict[str, str]:
    """Asset -> a digest of all that it holds."""
    return {
        archive.name: hashlib.sha256(archive.read_bytes()).hexdigest()
        for archive in assembly.glob("asset.*.zip")
    }


def keys(assembly: Path, stack: str) -> set[str]:
    """The assets that a template names."""
    template: dict[str, Any] = json.loads((assembly / f"{stack}.template.json").read_text())
    properties = [resource.get("Properties", {}) for resource in template["Resources"].values()]
    found = {str(p.get(name, {}).get("S3Key")) for p in properties for name in ("Code", "Content")}
    return found - {"None"}
