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

from tests.infra.synth import ROOT

from .conftest import Synth, Venv, install

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = ("hitl_approval", "hitl_approval_cdk", "hitl_approval_cli")
INSTALLED = """
import json; from importlib.metadata import distributions
print(json.dumps({d.name.lower(): d.version for d in distributions()}))
"""


@pytest.fixture(scope="session")
def runtime(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    return install(tmp_path_factory.mktemp("runtime") / "venv", str(wheel))


@pytest.fixture(scope="session")
def with_cdk(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    return install(tmp_path_factory.mktemp("cdk") / "venv", f"{wheel}[cdk]")


class TestRuntime:
    def test_should_bring_what_the_lambda_bundle_brings_and_nothing_else(
        self, runtime: Venv
    ) -> None:
        locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "lambdas.lock").read_text(), re.MULTILINE)
        assert set(json.loads(runtime.run("-c", INSTALLED))) == {"hitl-approval", *locked}

    def test_should_require_boto3_and_the_durable_sdk_only(self) -> None:
        names = {re.split(r"[^a-z0-9-]", line)[0] for line in PROJECT["dependencies"]}
        assert names == {"boto3", "aws-durable-execution-sdk-python"}

    def test_should_ask_without_cdk_and_without_the_command(self, runtime: Venv) -> None:
        runtime.run(
            "-c",
            "import hitl_approval\n"
            "from hitl_approval import wait_for_approval, ApprovalRequest, Quorum\n"
            "ApprovalRequest(subject='Q4', requester='ann', quorum=Quorum.any_one())\n"
            "assert callable(wait_for_approval)\n"
            "from hitl_approval.testing import in_memory; in_memory()",
        )

    def test_should_be_typed(self, runtime: Venv) -> None:
        [packages] = runtime.folder.glob("lib/python*/site-packages")
        for package in PACKAGES:
            assert (packages / package / "py.typed").is_file(), package


class TestConstructs:
    def test_should_deploy_the_very_bytes_that_the_checkout_deploys(
        self, with_cdk: Venv, synth: Synth
    ) -> None:
        installed, ours = synth(with_cdk.python), synth(sys.executable)
        assert assets(installed) == assets(ours)
        assert len(assets(ours)) == 2  # the functions' bundle and the layer
        for name in ("hitl-approval", "Payments"):
            assert keys(installed, name) == keys(ours, name)

    def test_should_have_a_typed_public_api(self, wheel: Path, tmp_path: Path) -> None:
        # Always the same place, where mypy finds CDK's types checked already: that takes longest.
        outside = ROOT / ".mypy_cache" / "outside"
        outside.mkdir(parents=True, exist_ok=True)
        installed = install(outside / "venv", f"{wheel}[cdk]")
        page = tmp_path / "public_api.py"
        page.write_bytes(Path(__file__).with_name("public_api.py").read_bytes())
        checked = subprocess.run(
            [
                *(sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull),
                *("--cache-dir", str(outside / "cache")),
                *("--python-executable", str(installed.python), page.name),
            ],
            cwd=tmp_path,
            env={k: v for k, v in os.environ.items() if k not in {"MYPYPATH", "PYTHONPATH"}},
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout

    def test_should_synthesize_with_the_lowest_versions_that_it_declares(
        self, wheel: Path, tmp_path: Path, synth: Synth
    ) -> None:
        requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["cdk"]
        strategy = ("--resolution", "lowest-direct")
        lowest = install(tmp_path / "venv", f"{wheel}[cdk]", *requirements, *strategy)
        installed = json.loads(lowest.run("-c", INSTALLED))
        for requirement in requirements:
            name, version = re.split(r">=|,", requirement)[:2]
            assert f"{installed[name]}.".startswith(f"{version}."), requirement
        assert keys(synth(lowest.python), "Payments")


def assets(assembly: Path) -> dict[str, str]:
    """Asset folder -> a digest of all that it holds."""
    found = {}
    for folder in sorted(assembly.glob("asset.*")):
        digest = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(folder)}\n{path.stat().st_mode}\n".encode())
            digest.update(path.read_bytes())
        found[folder.name] = digest.hexdigest()
    return found


def keys(assembly: Path, stack: str) -> set[str]:
    """The assets that a template names."""
    template: dict[str, Any] = json.loads((assembly / f"{stack}.template.json").read_text())
    properties = [resource.get("Properties", {}) for resource in template["Resources"].values()]
    found = {str(p.get(name, {}).get("S3Key")) for p in properties for name in ("Code", "Content")}
    return found - {"None"}
