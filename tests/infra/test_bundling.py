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
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, AssetStaging, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import HitlApproval, bundling, lambda_python
from hitl_approval_cdk.bundling import BundlingError, Sources
from tests.environment import CREDENTIALS, ENVIRONMENT, EXTRAS
from tests.infra import every_call
from tests.infra.audit import unused
from tests.infra.fake_aws import ANSWERS, fake_aws
from tests.infra.synth import FLAGS, ROOT, permissions
from tests.tomorrow import settings_of_a_stranger

CHECKOUT = Sources.found()
KEPT = {
    *("dynamodb", "events", "kms", "lambda", "s3", "secretsmanager", "sesv2", "sns", "sqs"),
    *("stepfunctions", "sts"),
}
READ_BY_LAMBDA = {
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
"""What Lambda calls with a function's rights to bring it a stream's records."""


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
def archive() -> Path:
    """The real bundle as Lambda gets it."""
    return bundling.packed(CHECKOUT, "arm64")


@pytest.fixture(scope="session")
def bundle(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real bundle, unpacked."""
    folder = tmp_path_factory.mktemp("bundle")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
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

    def test_should_change_with_architecture_python_and_the_way_of_bundling(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = {CHECKOUT.digest("arm64"), CHECKOUT.digest("x86_64")}
        monkeypatch.setattr(lambda_python, "VERSION", "3.14")
        seen.add(CHECKOUT.digest("arm64"))
        edited = tmp_path / "bundling.py"
        edited.write_bytes(Path(bundling.__file__).read_bytes() + b"\n")
        monkeypatch.setattr(bundling, "__file__", str(edited))
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

    def test_should_not_change_with_how_we_start_programs_here(self, sources: Sources) -> None:
        before = sources.digest("arm64")
        (sources.runtime / "programs.py").write_text("OTHER = True\n")
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


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where bundles are kept; nothing yet."""
    monkeypatch.setenv("HITL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bundles"


@pytest.fixture
def made(cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A bundle that costs nothing, and how often it is made."""
    made: list[str] = []

    def bundle(_: Sources, architecture: str, target: Path) -> None:
        made.append(architecture)
        target.mkdir(parents=True)
        (target / "handler.py").write_text("")

    monkeypatch.setattr(bundling, "bundle", bundle)
    return made


def synth(out: Path, *, stacks: int = 1, context: Any = None, **options: Any) -> dict[str, Any]:
    """The first stack's template; as in a new process."""
    AssetStaging.clear_asset_hash_cache()
    app = App(outdir=str(out), context={**FLAGS, **(context or {})}, analytics_reporting=False)
    for number in range(stacks):
        stack = Stack(app, f"Stack{number}")
        HitlApproval(stack, "One", notify_emails=["ann@example.com"], **options)
        HitlApproval(stack, "Two", notify_emails=["ann@example.com"], **options)
    app.synth()
    found: dict[str, Any] = json.loads((out / "Stack0.template.json").read_text())
    return found


def keys(template: dict[str, Any]) -> set[str]:
    """What the functions' code is called in the bucket."""
    functions = [r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
    return {function["Properties"]["Code"]["S3Key"] for function in functions}


class TestSynth:
    def test_should_bundle_once_for_all_functions_of_all_stacks(
        self, tmp_path: Path, made: list[str]
    ) -> None:
        template = synth(tmp_path / "out", stacks=2)
        assert made == ["arm64"]
        assert len(keys(template)) == 1
        assert len(list((tmp_path / "out").glob("asset.*"))) == 1

    def test_should_not_bundle_again_into_another_folder_either(
        self, tmp_path: Path, made: list[str]
    ) -> None:
        assert synth(tmp_path / "out") == synth(tmp_path / "out") == synth(tmp_path / "other")
        assert made == ["arm64"]

    def test_should_bundle_again_after_an_edit(
        self, tmp_path: Path, made: list[str], sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Sources, "found", lambda: sources)
        out = tmp_path / "out"
        before = synth(out)
        (sources.runtime / "contract.py").write_text("EDITED = True\n")
        after = synth(out)
        assert made == ["arm64", "arm64"]
        assert before != after  # so that CloudFormation publishes a new version

    def test_should_bundle_for_each_architecture(self, tmp_path: Path, made: list[str]) -> None:
        synth(tmp_path)
        synth(tmp_path, architecture=lambda_.Architecture.X86_64)
        assert made == ["arm64", "x86_64"]

    @pytest.mark.parametrize("selected", [[], ["Other"]], ids=["none", "another stack"])
    def test_should_leave_nothing_to_deploy_where_cdk_bundles_nothing(
        self, tmp_path: Path, made: list[str], selected: list[str]
    ) -> None:
        whole = keys(synth(tmp_path / "out"))
        skipped = keys(synth(tmp_path / "out", context={"aws:cdk:bundling-stacks": selected}))
        assert not whole & skipped
        [name] = skipped
        asset = tmp_path / "out" / f"asset.{name}"
        assert not zipfile.is_zipfile(asset)  # Lambda refuses it
        assert "aws:cdk:bundling-stacks" in asset.read_text()
        assert keys(synth(tmp_path / "out")) == whole


class TestCache:
    def test_should_never_take_half_a_bundle_for_a_whole_one(
        self, cache: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = bundling.bundle

        def broken(_: Sources, __: str, target: Path) -> None:
            target.mkdir(parents=True)
            (target / "half.py").write_text("")
            msg = "the wire was cut"
            raise BundlingError(msg)

        monkeypatch.setattr(bundling, "bundle", broken)
        with pytest.raises(BundlingError, match="the wire was cut"):
            bundling.packed(CHECKOUT, "arm64")
        assert list(cache.iterdir()) == []
        monkeypatch.setattr(bundling, "bundle", whole)
        bundling.packed(CHECKOUT, "arm64")
        assert made == ["arm64"]

    def test_should_make_a_cut_off_file_anew(self, made: list[str]) -> None:
        kept = bundling.packed(CHECKOUT, "arm64")
        kept.write_bytes(kept.read_bytes()[:-10])
        assert zipfile.is_zipfile(bundling.packed(CHECKOUT, "arm64"))
        assert made == ["arm64", "arm64"]

    def test_should_serve_two_that_make_it_at_once(
        self, cache: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow = bundling.bundle
        both = threading.Barrier(2, timeout=30)

        def bundle(sources: Sources, architecture: str, target: Path) -> None:
            both.wait()
            slow(sources, architecture, target)

        monkeypatch.setattr(bundling, "bundle", bundle)
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: bundling.packed(CHECKOUT, "arm64"), range(2))
        assert first == second
        assert zipfile.is_zipfile(first)
        assert list(cache.iterdir()) == [first]

    def test_should_forget_what_nobody_asked_for_in_a_month(
        self, cache: Path, made: list[str]
    ) -> None:
        used = bundling.packed(CHECKOUT, "arm64")
        old, broken = cache / "old.zip", cache / "making-x"
        old.touch()
        broken.mkdir()
        for path in (used, old, broken):
            os.utime(path, (0, 0))
        bundling.packed(CHECKOUT, "arm64")  # is asked for
        added = bundling.packed(CHECKOUT, "x86_64")
        assert set(cache.iterdir()) == {used, added}

    def test_should_say_where_it_cannot_write(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("HITL_CACHE_DIR", str(tmp_path / "file"))
        with pytest.raises(BundlingError, match=r"could not be kept: .*file.*set HITL_CACHE_DIR"):
            bundling.packed(CHECKOUT, "arm64")


def hostile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tomorrow, and settings that must not reach the bundle."""
    for name, value in settings_of_a_stranger(folder).items():
        if not name.startswith(("CDK_", "JSII_")):  # are what the CDK itself tells the app
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)


class TestSurroundings:
    """The same bytes, wherever and by whom it is made."""

    def test_should_be_the_same_under_another_umask(self, archive: Path, cache: Path) -> None:
        before = os.umask(0o077)
        try:
            made = bundling.packed(CHECKOUT, "arm64")
        finally:
            os.umask(before)
        assert made.read_bytes() == archive.read_bytes()

    def test_should_be_the_same_among_foreign_settings(
        self, archive: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hostile(tmp_path, monkeypatch)
        assert bundling.packed(CHECKOUT, "arm64").read_bytes() == archive.read_bytes()

    def test_should_be_the_same_from_a_folder_with_a_blank_and_an_umlaut(
        self, archive: Path, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        odd = tmp_path / "Ordner für 1"
        shutil.move(sources.lock.parent, odd)
        monkeypatch.chdir(odd)
        monkeypatch.setenv("HITL_CACHE_DIR", "caches für 1")  # relative, too
        moved = Sources(
            runtime=odd / "hitl_approval", entry_points=odd / "lambdas", lock=Path("lambdas.lock")
        )
        made = bundling.packed(moved, "arm64")
        assert made.is_relative_to(odd)
        assert made.read_bytes() == archive.read_bytes()

    def test_should_be_the_same_for_the_app_in_all_of_it_at_once(
        self, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With nothing on PATH, neither Node, in a locale of 7 bits, by `python app.py`."""
        checkout = tmp_path / "Ordner für 1"
        for name in ("stacks", "shared", "lambdas"):
            shutil.copytree(ROOT / name, checkout / name)
        for name in ("app.py", "lambdas.lock"):
            shutil.copy(ROOT / name, checkout)
        hostile(tmp_path, monkeypatch)
        for name in ("PYTHONPATH", "NODE_OPTIONS"):  # of who types this, the app itself takes them
            monkeypatch.delenv(name)
        # In 7 bits Python cannot read the .pth file of an environment below a folder like this one;
        # that is about where the tests' own environment is, and `make` repairs it.
        seven_bits = "C" if str(ROOT).isascii() else "C.UTF-8"
        done = subprocess.run(
            [sys.executable, str(checkout / "app.py")],
            cwd=checkout,
            env={
                **os.environ,
                "LC_ALL": seven_bits,
                "PYTHONUTF8": "0",
                "PYTHONCOERCECLOCALE": "0",
                "PATH": str(tmp_path / "missing"),
                "HITL_CACHE_DIR": str(tmp_path / "caches"),
                "CDK_OUTDIR": str(tmp_path / "out"),
                "CDK_CONTEXT_JSON": json.dumps(FLAGS),
            },
            umask=0o077,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"end-of-life" not in done.stderr  # of Node
        [asset] = (tmp_path / "out").glob("asset.*")
        assert _source(asset) == _source(archive)  # with nothing on PATH, nothing compiles it


def _source(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {n: opened.read(n) for n in opened.namelist() if not n.endswith(".pyc")}


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

    def test_should_hold_no_native_code_and_nothing_that_varies(self, bundle: Path) -> None:
        for path in bundle.rglob("*"):
            assert path.suffix not in {".so", ".pyd", ".dylib"}, path
            assert path.name not in {"RECORD", "INSTALLER", "direct_url.json"}, path

    def test_should_say_nothing_of_the_day_and_let_everyone_read(self, archive: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
        assert [entry.filename for entry in entries] == sorted(e.filename for e in entries)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in entries} == {0o100644}

    def test_should_carry_our_sources_as_they_are(self, bundle: Path) -> None:
        for place, path in CHECKOUT.files():
            assert (bundle / place).read_bytes() == path.read_bytes()
        assert not (bundle / "hitl_approval" / "programs.py").exists()

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
            "import workflow.handler, approval_api.handler, sweep.handler, publisher.handler;"
            "import page.handler, signed_in.handler, messenger.handler, request_api.handler;"
            "import hitl_approval.durable.wait as waiting;"
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
        self, bundle: Path, version: str, templates: dict[str, Any]
    ) -> None:
        with fake_aws() as (endpoint, asked):
            done = subprocess.run(
                [_python(version), "-I", "-S", "-B", every_call.__file__, str(bundle)],
                env={**ENVIRONMENT, **EXTRAS, **CREDENTIALS, "AWS_ENDPOINT_URL": endpoint},
                capture_output=True,
                text=True,
                check=False,
            )
        assert done.returncode == 0, done.stderr
        assert asked > {"Publish", "TransactWriteItems", "GetItem", "UpdateItem", "Query"}
        assert asked > set(ANSWERS)
        assert unused(templates, asked) == []
        called = {name for name in asked if name.startswith("dynamodb:")}
        granted = permissions(templates["signed_in"]["Resources"]).values()
        allowed = {action for each in granted for action, _ in each}
        assert called == {name for name in allowed if name.startswith("dynamodb:")} - READ_BY_LAMBDA

    def test_should_know_the_services_that_it_calls_and_no_other(self, bundle: Path) -> None:
        data = bundle / "botocore" / "data"
        assert {path.name for path in data.iterdir() if path.is_dir()} == KEPT
        assert {path.name for path in data.iterdir() if path.is_file()} >= {
            "_retry.json",
            "endpoints.json",
            "partitions.json",
            "sdk-default-configuration.json",
        }
        assert _zipped(bundle) <= 6_000_000

    def test_should_leave_the_layer_whole(self, tmp_path: Path) -> None:
        layer = tmp_path / "python"
        before = os.umask(0o077)
        try:
            bundling.bundle(CHECKOUT.for_layer(), "arm64", layer)
        finally:
            os.umask(before)
        services = {path.name for path in (layer / "botocore" / "data").iterdir()}
        assert services > {*KEPT, "ec2", "bedrock-runtime"}
        assert (layer / "boto3" / "data").is_dir()
        for path in (layer, *layer.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path

    def test_should_say_so_when_botocore_has_moved_a_service(
        self, sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def install(_: Path, __: str, target: Path) -> None:
            for service in KEPT - {"lambda"}:
                (target / "botocore" / "data" / service).mkdir(parents=True)

        monkeypatch.setattr(bundling, "_install", install)
        with pytest.raises(BundlingError, match="botocore/data has no lambda"):
            bundling.bundle(sources, "arm64", tmp_path / "out")

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
