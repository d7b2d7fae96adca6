"""The deployable app: context in, one stack out; a mistake is one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.synth import FLAGS, ROOT


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"poll_interval_seconds": "0"}, "poll_interval must be at least 1 s, got 0 s"),
        ({"quorm": "2"}, "context key quorm is unknown: did you mean quorum?"),
    ],
    ids=["a value that the construct refuses", "a key that is unknown"],
)
def test_should_end_with_one_line_and_no_stack_trace(
    values: dict[str, str], message: str, tmp_path: Path
) -> None:
    done = run_app(values, tmp_path)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("hitl-approval: ")
    assert message in line
    assert not (tmp_path / "hitl-approval.template.json").exists()


def test_should_end_with_one_line_when_the_bundle_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("HITL_CACHE_DIR", str(tmp_path / "caches"))
    done = run_app({}, tmp_path)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("hitl-approval: uv could not install lambdas.lock: ")


def test_should_say_what_to_install_on_a_bare_python(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(ROOT / "app.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("hitl-approval: aws_cdk is not installed")
    assert "pip install -r requirements.txt" in line


def test_should_run_as_cdk_json_says() -> None:
    settings = json.loads((ROOT / "cdk.json").read_text())
    assert settings["app"] == "python3 app.py"
    assert settings["context"]["@aws-cdk/core:validateAgainstDefaultRules"] is True


def run_app(values: dict[str, str], out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=out,
        env={
            **os.environ,
            "CDK_OUTDIR": str(out),
            "CDK_CONTEXT_JSON": json.dumps({**FLAGS, **values}),
        },
        capture_output=True,
        text=True,
        check=False,
    )
