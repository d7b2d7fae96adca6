"""`hitl local up | env | down | demo`, as a person runs them in a checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hitl_approval_cli.local import is_local_cloud

from .conftest import eventually

ROOT = Path(__file__).parents[2]
BINARIES = Path(sys.executable).parent
Hitl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def hitl(tmp_path: Path) -> Iterator[Hitl]:
    """Run `hitl local ...` with a state folder of the test's own; ends what is left running."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BINARIES / "hitl"), *words],
            cwd=ROOT,
            env={**clean, "HITL_LOCAL_DIR": str(tmp_path), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    yield run
    run("local", "down")


def test_should_keep_the_stack_running_between_up_and_down(hitl: Hitl, tmp_path: Path) -> None:
    up = hitl("local", "up")
    assert up.returncode == 0, up.stderr
    pid = json.loads((tmp_path / "local.json").read_text())["pid"]
    assert is_local_cloud(pid)

    exports = hitl("local", "env").stdout
    assert all(line.startswith("export ") for line in exports.splitlines())
    variables = dict(re.findall(r"^export (\w+)=(\S+)$", exports, re.MULTILINE))
    assert variables["STACK_NAME"] == "hitl-approval"
    assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")

    approval_id = hitl("submit", "--subject", "Release 7", **variables).stdout.strip()
    eventually(lambda: approval_id in hitl("list", **variables).stdout, "request")
    approved = hitl("approve", approval_id, "--yes", "--as", "ann", "--json", **variables)
    assert json.loads(approved.stdout)["status"] == "approved"
    assert hitl("list", "--status", "approved", **variables).stdout.count(approval_id) == 1

    assert "Already running" in hitl("local", "up").stdout
    assert hitl("local", "down").returncode == 0
    assert not is_local_cloud(pid)
    assert hitl("local", "down").stdout == "Nothing is running.\n"
    gone = hitl("local", "env")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == "hitl: nothing is running: start it with `make up` (NOT_RUNNING)\n"


def test_should_play_the_demo_and_leave_nothing_running(hitl: Hitl) -> None:
    before = _local_clouds()
    demo = hitl("local", "demo", DEMO="timeout")
    assert demo.returncode == 0, demo.stderr
    assert "Subject: Approval needed: Q4 Budget Proposal" in demo.stdout
    assert '"decision": "timeout"' in demo.stdout
    assert "everything is stopped" in demo.stdout
    assert _local_clouds() <= before


def test_should_refuse_a_demo_that_nobody_knows(hitl: Hitl) -> None:
    refused = hitl("local", "demo", DEMO="maybe")
    assert refused.returncode == 2
    assert refused.stderr == (
        "hitl: --decide: must be one of approve, reject, timeout, got 'maybe'\n"
    )


def test_should_say_that_a_port_is_taken(hitl: Hitl, cloud: object) -> None:
    port = re.findall(r":(\d+)$", str(getattr(cloud, "endpoint_url", "")))[0]
    refused = hitl("local", "up", "--port", port)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert port in refused.stderr


def _local_clouds() -> set[int]:
    pids = {int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()}
    return {pid for pid in pids if is_local_cloud(pid)}
