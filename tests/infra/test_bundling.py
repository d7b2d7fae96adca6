"""The Lambda bundle: no Docker, nothing native, never stale, never built twice."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, AssetStaging, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import HitlApproval, bundling
from hitl_approval_cdk.bundling import BundlingError, Sources
from tests.infra import every_call
from tests.infra.fake_aws import ANSWERS, fake_aws
from tests.infra.synth import FLAGS, ROOT

CHECKOUT = Sources.found()
KEPT = {"dynamodb", "events", "kms", "lambda", "sns", "stepfunctions", "sts"}


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """A copy of the checkout's sources, to edit."""
    copy = tmp_path / "sources"
    shutil.copytree(CHECKOUT.runtime, copy / "hitl_approval")
    shutil.copytree(CHECKOUT.entry_points, copy / "lambdas")
    shutil.copyfile(CHECKOUT.lock, copy / "lambdas.lock")
    return Sources(
        runtime=copy / "hitl_approval", entry_points=copy / "lambdas", lock=copy / "lambdas.lock"
    )


@pytest.fixture(scope="session")
def deployable(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[Path, str]]:
    """Synthesizes the real app with a real bundle; always into the same folder."""
    out = tmp_path_factory.mktemp("cdk.out")

    def synth() -> tuple[Path, str]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "app.py")],
            cwd=out.parent,  # not the checkout: nothing may depend on the working directory
            env={**os.environ, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(FLAGS)},
            capture_output=True,
            text=True,
            check=True,
        )
        return out, done.stderr

    return synth


@pytest.fixture(scope="session")
def first_synth(deployable: Callable[[], tuple[Path, str]]) -> tuple[Path, str]:
    return deployable()


@pytest.fixture(scope="session")
def bundle(first_synth: tuple[Path, str]) -> Path:
    """The one asset folder of the real app."""
    [folder] = [path for path in first_synth[0].iterdir() if path.is_dir()]
    return folder


class TestHash:
    def test_should_be_the_same_for_the_same_bytes(self, sources: Sources) -> None:
        assert sources.digest("arm64") == CHECKOUT.digest("arm64")

    @pytest.mark.parametrize(
        "path",
        [
            "hitl_approval/contract.py",
            "hitl_approval/py.typed",
            "lambdas/workflow/handler.py",
            "lambdas.lock",
        ],
    )
    def test_should_change_with_any_byte(self, sources: Sources, path: str) -> None:
        before = sources.digest("arm64")
        edited = sources.lock.parent / path
        edited.write_bytes(edited.read_bytes() + b"\n")
        assert sources.digest("arm64") != before

    def test_should_change_with_a_file_more_or_less_or_moved(self, sources: Sources) -> None:
        seen = {sources.digest("arm64")}
        (sources.runtime / "extra.txt").write_text("")
        seen.add(sources.digest("arm64"))
        (sources.runtime / "extra.txt").rename(sources.runtime / "other.txt")
        seen.add(sources.digest("arm64"))
        (sources.runtime / "py.typed").unlink()
        seen.add(sources.digest("arm64"))
        assert len(seen) == 4

    def test_should_change_with_architecture_python_and_recipe(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = {CHECKOUT.digest("arm64"), CHECKOUT.digest("x86_64")}
        monkeypatch.setattr(bundling, "PYTHON_VERSION", "3.14")
        seen.add(CHECKOUT.digest("arm64"))
        monkeypatch.setattr(bundling, "RECIPE", "next")
        seen.add(CHECKOUT.digest("arm64"))
        assert len(seen) == 4

    def test_should_not_change_with_what_python_compiles(self, sources: Sources) -> None:
        before = sources.digest("arm64")
        compiled = sources.runtime / "__pycache__"
        compiled.mkdir(exist_ok=True)
        (compiled / "extra.cpython-311.pyc").write_bytes(b"compiled")
        (sources.entry_points / "__pycache__").mkdir(exist_ok=True)
        (sources.entry_points / "__pycache__" / "x.py").write_bytes(b"odd")
        assert sources.digest("arm64") == before

    def test_should_be_the_checkouts_from_any_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert Sources.found() == CHECKOUT
        assert Sources.found().digest("arm64") == CHECKOUT.digest("arm64")

    def test_should_be_the_checkouts_when_installed_from_the_wheel(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        installed = tmp_path / "site-packages"
        package = installed / "hitl_approval_cdk"
        shutil.copytree(ROOT / "stacks" / "hitl_approval_cdk", package)
        shutil.move(sources.entry_points, package / "_lambdas")
        shutil.move(sources.lock, package / "_lambdas.lock")
        shutil.move(sources.runtime, installed / "hitl_approval")
        program = (
            "from hitl_approval_cdk.bundling import Sources;"
            "found = Sources.found(); print(found.lock); print(found.digest('arm64'))"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [
            str(package / "_lambdas.lock"),
            CHECKOUT.digest("arm64"),
        ]

    def test_should_say_so_when_the_sources_are_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bundling, "__file__", str(tmp_path / "a" / "b" / "bundling.py"))
        with pytest.raises(BundlingError, match="install hitl-approval again"):
            Sources.found()


class TestSynth:
    """With a bundle that costs nothing, and a count of how often it is made."""

    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        made: list[str] = []

        def bundle(_: Sources, architecture: str, target: Path) -> None:
            made.append(architecture)
            (target / "handler.py").write_text("")

        monkeypatch.setattr(bundling, "bundle", bundle)
        return made

    def synth(self, out: Path, *, stacks: int = 1, **options: Any) -> dict[str, Any]:
        AssetStaging.clear_asset_hash_cache()  # as in a new process
        app = App(outdir=str(out), context=FLAGS, analytics_reporting=False)
        for number in range(stacks):
            stack = Stack(app, f"Stack{number}")
            HitlApproval(stack, "One", notify_emails=["ann@example.com"], **options)
            HitlApproval(stack, "Two", notify_emails=["ann@example.com"], **options)
        app.synth()
        found: dict[str, Any] = json.loads((out / "Stack0.template.json").read_text())
        return found

    def test_should_bundle_once_for_all_functions_of_all_stacks(
        self, tmp_path: Path, made: list[str]
    ) -> None:
        self.synth(tmp_path, stacks=2)
        assert made == ["arm64"]
        assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 1

    def test_should_not_bundle_again(self, tmp_path: Path, made: list[str]) -> None:
        assert self.synth(tmp_path) == self.synth(tmp_path)
        assert made == ["arm64"]

    def test_should_bundle_again_after_an_edit(
        self, tmp_path: Path, made: list[str], sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Sources, "found", lambda: sources)
        out = tmp_path / "out"
        before = self.synth(out)
        (sources.runtime / "contract.py").write_text("EDITED = True\n")
        after = self.synth(out)
        assert made == ["arm64", "arm64"]
        assert before != after  # so that CloudFormation publishes a new version

    def test_should_bundle_for_each_architecture(self, tmp_path: Path, made: list[str]) -> None:
        self.synth(tmp_path)
        self.synth(tmp_path, architecture=lambda_.Architecture.X86_64)
        assert made == ["arm64", "x86_64"]

    def test_should_never_take_half_a_bundle_for_a_whole_one(
        self, tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = bundling.bundle

        def broken(_: Sources, __: str, target: Path) -> None:
            (target / "half.py").write_text("")
            msg = "the wire was cut"
            raise BundlingError(msg)

        monkeypatch.setattr(bundling, "bundle", broken)
        with pytest.raises(RuntimeError, match="the wire was cut"):
            self.synth(tmp_path)
        monkeypatch.setattr(bundling, "bundle", whole)
        self.synth(tmp_path)
        assert made == ["arm64"]


class TestBundle:
    """The real one."""

    def test_should_hold_the_functions_the_runtime_and_the_dependencies(self, bundle: Path) -> None:
        names = {path.name for path in bundle.iterdir()}
        assert names >= {
            "hitl_approval",
            "workflow",
            "approval_api",
            "aws_durable_execution_sdk_python",
            "boto3",
            "botocore",
        }
        assert not names & {"bin", "aws_cdk", "constructs", "typer", "hitl_approval_cdk", "uv"}

    def test_should_hold_nothing_compiled_and_nothing_that_varies(self, bundle: Path) -> None:
        for path in bundle.rglob("*"):
            assert path.suffix not in {".so", ".pyd", ".dylib", ".pyc"}, path
            assert path.name not in {"__pycache__", "RECORD", "INSTALLER", "direct_url.json"}, path
            assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)

    def test_should_carry_our_sources_as_they_are(self, bundle: Path) -> None:
        for place, path in CHECKOUT.files():
            assert (bundle / place).read_bytes() == path.read_bytes()

    def test_should_come_out_the_same_every_time(self, bundle: Path, tmp_path: Path) -> None:
        bundling.bundle(CHECKOUT, "arm64", tmp_path)
        assert _content(tmp_path) == _content(bundle)

    def test_should_hold_the_same_for_the_other_architecture(
        self, bundle: Path, tmp_path: Path
    ) -> None:
        bundling.bundle(CHECKOUT, "x86_64", tmp_path)
        assert _content(tmp_path) == _content(bundle)

    @pytest.mark.parametrize("version", ["3.13", f"3.{sys.version_info.minor}"])
    def test_should_import_every_handler_with_nothing_else_installed(
        self, bundle: Path, version: str
    ) -> None:
        program = (
            "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p];"
            "sys.path.insert(0, sys.argv[1]);"
            "import workflow.handler, approval_api.handler, sweep.handler, relay.handler;"
            "import page.handler, signed_in.handler, hitl_approval.waiting as waiting;"
            "print(waiting.__file__)"
        )
        done = subprocess.run(
            [_python(version), "-I", "-S", "-B", "-c", program, str(bundle)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert Path(done.stdout.strip()).is_relative_to(bundle)

    @pytest.mark.parametrize("version", ["3.13", f"3.{sys.version_info.minor}"])
    def test_should_make_every_call_with_nothing_else_installed(
        self, bundle: Path, version: str
    ) -> None:
        with fake_aws() as (endpoint, asked):
            done = subprocess.run(
                [_python(version), "-I", "-S", "-B", every_call.__file__, str(bundle), endpoint],
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        assert asked > {"Publish", "TransactWriteItems", "GetItem", "UpdateItem", "Query"}
        assert asked > set(ANSWERS)

    def test_should_know_the_services_that_it_calls_and_no_other(self, bundle: Path) -> None:
        data = bundle / "botocore" / "data"
        assert {path.name for path in data.iterdir() if path.is_dir()} == KEPT
        assert {path.name for path in data.iterdir() if path.is_file()} >= {
            "_retry.json",
            "endpoints.json",
            "partitions.json",
            "sdk-default-configuration.json",
        }
        assert _zipped(bundle) <= 4_000_000

    def test_should_leave_the_layer_whole(self, tmp_path: Path) -> None:
        bundling.bundle(CHECKOUT.for_layer(), "arm64", tmp_path)
        services = {path.name for path in (tmp_path / "botocore" / "data").iterdir()}
        assert services > {*KEPT, "s3", "ec2", "bedrock-runtime"}
        assert (tmp_path / "boto3" / "data").is_dir()

    def test_should_say_so_when_botocore_has_moved_a_service(
        self, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def install(_: Path, __: str, target: Path) -> None:
            for service in KEPT - {"lambda"}:
                (target / "botocore" / "data" / service).mkdir(parents=True)

        monkeypatch.setattr(bundling, "_install", install)
        with pytest.raises(BundlingError, match="botocore/data has no lambda"):
            bundling.bundle(sources, "arm64", tmp_path / "out")

    def test_should_not_be_built_again_by_the_next_synth(
        self, first_synth: tuple[Path, str], deployable: Callable[[], tuple[Path, str]]
    ) -> None:
        assert "Bundling asset" in first_synth[1]
        out, said = deployable()
        assert "Bundling asset" not in said
        [folder] = [path.name for path in out.iterdir() if path.is_dir()]
        assert folder in (out / "hitl-approval.assets.json").read_text()

    def test_should_refuse_native_code(
        self, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def install(_: Path, __: str, target: Path) -> None:
            (target / "fast").mkdir(parents=True)
            (target / "fast" / "core.abi3.so").write_bytes(b"\x7fELF")
            for service in KEPT:
                (target / "botocore" / "data" / service).mkdir(parents=True)

        monkeypatch.setattr(bundling, "_install", install)
        with pytest.raises(BundlingError, match=r"fast/core\.abi3\.so is native code"):
            bundling.bundle(sources, "arm64", tmp_path / "out")


class TestFailure:
    def test_should_say_in_one_line_what_uv_said(
        self, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("UV_OFFLINE", "1")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
        with pytest.raises(BundlingError, match=r"uv could not install lambdas\.lock: .+") as error:
            bundling.bundle(sources, "arm64", tmp_path / "out")
        assert "\n" not in str(error.value)

    def test_should_refuse_a_dependency_without_its_hash(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        sources.lock.write_text("six==1.17.0\n")
        with pytest.raises(BundlingError, match="hash"):
            bundling.bundle(sources, "arm64", tmp_path / "out")

    def test_should_refuse_a_dependency_that_was_tampered_with(
        self, sources: Sources, tmp_path: Path
    ) -> None:
        sources.lock.write_text(f"six==1.17.0 --hash=sha256:{'0' * 64}\n")
        with pytest.raises(BundlingError, match=r"(?i)hash"):
            bundling.bundle(sources, "arm64", tmp_path / "out")

    def test_should_say_what_to_install_without_uv(
        self, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "uv", None)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(BundlingError, match="bundling needs uv: pip install uv"):
            bundling.bundle(sources, "arm64", tmp_path / "out")

    def test_should_not_wait_for_uv_for_ever(
        self, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow = tmp_path / "uv"
        slow.write_text("#!/bin/sh\nexec sleep 60\n")
        slow.chmod(0o755)
        monkeypatch.setattr(bundling, "_uv", lambda: str(slow))
        monkeypatch.setattr(bundling, "_UV_SECONDS", 0.2)
        with pytest.raises(BundlingError, match="timed out"):
            bundling.bundle(sources, "arm64", tmp_path / "out")


def test_should_have_an_immutable_description_of_the_sources() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        CHECKOUT.lock = Path()  # type: ignore[misc]


def _content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _zipped(folder: Path) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in folder.rglob("*"):
            zipped.write(path, path.relative_to(folder))
    return len(archive.getvalue())


def _python(version: str) -> str:
    if version == f"3.{sys.version_info.minor}":
        return sys.executable
    name = f"python{version}"
    on_path = shutil.which(name)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [str(path) for path in pyenv.glob(f"{version}.*/bin/{name}")]
    candidates += [on_path] if on_path else []
    for candidate in candidates:
        if subprocess.run([candidate, "-V"], capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip(f"no Python {version} on this machine")
