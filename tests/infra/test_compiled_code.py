"""The bundle holds compiled code where Lambda's Python is, and never runs any but its source's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from hitl_approval_cdk import HitlApproval, bundling, lambda_python
from hitl_approval_cdk.bundling import BundlingError, Sources
from tests.infra.synth import said
from tests.infra.test_bundling import archive, bundle, cache, sources
from tests.lambda_python import MISSING, REQUIRED

__all__ = ["archive", "bundle", "cache", "sources"]  # fixtures


@pytest.fixture
def program(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One small module instead of all that uv installs; where it lies in a bundle."""

    def install(_: Path, __: str, target: Path) -> None:
        (target / "botocore" / "data").mkdir(parents=True)

    monkeypatch.setattr(bundling, "_install", install)
    monkeypatch.setattr(bundling, "_KEPT_SERVICES", frozenset())
    for folder in (sources.runtime, sources.entry_points):
        shutil.rmtree(folder)
        folder.mkdir()
    (sources.runtime / "said.py").write_text("WHAT = 'as written'\n")
    return Path("hitl_approval", "said.py")


needs_lambdas_python = pytest.mark.skipif(
    lambda_python.find() is None and os.environ.get(REQUIRED, "") in {"", "0"}, reason=MISSING
)


@needs_lambdas_python
class TestCompiledCode:
    def test_should_be_beside_the_source_of_every_module(self, bundle: Path) -> None:
        tag = f"cpython-{lambda_python.VERSION.replace('.', '')}"
        for source in bundle.rglob("*.py"):
            assert (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").is_file(), source
        assert {p.name.split(".")[1] for p in bundle.rglob("*.pyc")} == {tag}

    def test_should_be_taken_only_where_it_is_that_of_the_source(
        self, sources: Sources, program: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "out"
        bundling.bundle(sources, "arm64", target)
        (compiled,) = target.rglob("*.pyc")
        assert b"/var/task/hitl_approval/said.py" in compiled.read_bytes()
        assert str(tmp_path).encode() not in compiled.read_bytes()
        assert _said(target) == "as written"
        compiled.write_bytes(compiled.read_bytes().replace(b"as written", b"as altered"))
        assert _said(target) == "as altered"  # so it is what runs
        (target / program).write_text("WHAT = 'as repaired'\n")
        assert _said(target) == "as repaired"

    def test_should_be_found_where_a_layer_lies(
        self, sources: Sources, program: Path, tmp_path: Path
    ) -> None:
        bundling.bundle(sources.for_layer(), "arm64", tmp_path / "out")
        (compiled,) = (tmp_path / "out").rglob("*.pyc")
        assert b"/opt/python/hitl_approval/said.py" in compiled.read_bytes()

    def test_should_say_which_python_could_not_compile_what(
        self, sources: Sources, program: Path, tmp_path: Path
    ) -> None:
        (sources.runtime / "said.py").write_text("WHAT = = 1\n")
        with pytest.raises(BundlingError, match=r"could not compile .*said\.py"):
            bundling.bundle(sources, "arm64", tmp_path / "out")


def _said(bundle: Path) -> str:
    python = str(lambda_python.find())
    words = [python, "-I", "-c", "import sys; sys.path.insert(0, sys.argv[1]); "]
    words[-1] += "from hitl_approval import said; print(said.WHAT)"
    done = subprocess.run([*words, str(bundle)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_should_say_where_lambdas_python_is_missing_and_keep_the_hash(
    cache: Path, sources: Sources, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sources, "found", lambda: sources)
    monkeypatch.setattr(lambda_python, "find", lambda: None)
    stack = Stack(App(analytics_reporting=False), "Stack")
    HitlApproval(stack, "One", notify_emails=["ann@example.com"])
    ((path, text),) = said(stack, "info")
    (kept,) = cache.iterdir()
    assert path == "Stack/One"
    assert f"uv python install 3.13) and delete {kept};" in text
    assert kept.stem == sources.digest("arm64")


@needs_lambdas_python
def test_should_say_nothing_where_it_is_there(
    cache: Path, sources: Sources, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sources, "found", lambda: sources)
    stack = Stack(App(analytics_reporting=False), "Stack")
    HitlApproval(stack, "One", notify_emails=["ann@example.com"])
    assert said(stack, "info") == []
