"""`hitl local up | env | down | demo`, as a person runs them in a checkout."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import pytest

from hitl_approval_cli.local import is_local_cloud

from .conftest import eventually

ROOT = Path(__file__).parents[2]
BINARIES = Path(sys.executable).parent


@dataclass(frozen=True)
class Hitl:
    """The command, in an environment that knows nothing of AWS."""

    variables: dict[str, str]

    def __call__(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BINARIES / "hitl"), *words],
            cwd=ROOT,
            env={**self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture
def hitl(tmp_path: Path) -> Iterator[Hitl]:
    """Run `hitl local ...` with a state folder of the test's own; ends what is left running."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    run = Hitl({**clean, "HITL_LOCAL_DIR": str(tmp_path)})
    yield run
    run("local", "down")


def test_should_keep_the_stack_running_through_a_kill_until_down(
    hitl: Hitl, tmp_path: Path
) -> None:
    named = ["-c", "approvers=ann@example.com", "-c", "deliver_to=ann@example.com"]
    up = hitl("local", "up", "--keep", *named)
    assert up.returncode == 0, up.stderr
    note = tmp_path / "local.json"
    pid = json.loads(note.read_text())["pid"]
    assert is_local_cloud(pid)
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert "No messages yet" in hitl("local", "mail").stdout

    variables = _exports(hitl)
    assert variables["STACK_NAME"] == "hitl-approval"
    assert variables["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    approval_id = hitl("submit", "--subject", "Release 7", **variables).stdout.strip()
    eventually(lambda: approval_id in hitl("local", "mail").stdout, "message")

    os.kill(pid, signal.SIGKILL)
    gone = hitl("local", "mail")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == "hitl: nothing is running: start it with `make up` (NOT_RUNNING)\n"
    up = hitl("local", "up", "--keep", *named)
    assert up.returncode == 0, up.stderr
    pid = json.loads(note.read_text())["pid"]

    assert _exports(hitl) == variables
    # What was sent in the second before the kill may be sent once more.
    message, *_ = eventually(
        lambda: json.loads(hitl("local", "mail", "--json").stdout)["messages"],
        "message",
        patience=240,  # of a try that died a second try is made after its lease
    )
    [link] = re.findall(rf"http\S+/a/{approval_id}\.\S+", message["body"])
    assert "Release 7" in _open(link)
    approved = hitl(
        "approve", approval_id, "--yes", "--as", "ann@example.com", "--json", **variables
    )
    assert json.loads(approved.stdout)["status"] == "approved"
    execution = json.loads(approved.stdout)["execution_arn"]
    eventually(lambda: _status(variables, execution) == "SUCCEEDED", "end of the workflow")

    assert "Already running" in hitl("local", "up", *named).stdout
    assert hitl("local", "down").returncode == 0
    assert not is_local_cloud(pid)
    assert hitl("local", "down").stdout == "Nothing is running.\n"
    gone = hitl("local", "env")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == "hitl: nothing is running: start it with `make up` (NOT_RUNNING)\n"


def _exports(hitl: Hitl) -> dict[str, str]:
    """What a second terminal has after what `up` says; without hitl on its PATH before."""
    eval_ = """eval "$(make -s env)" && command -v hitl && env"""
    typed = subprocess.run(
        ["/bin/sh", "-c", eval_],
        cwd=ROOT,
        env={**hitl.variables, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    where, *lines = typed.stdout.splitlines()
    assert where == str(BINARIES / "hitl")
    found = dict(line.partition("=")[::2] for line in lines)
    return {name: found[name] for name in found if name.startswith("AWS_") or name == "STACK_NAME"}


def _open(link: str) -> str:
    at = urlsplit(link)
    connection = http.client.HTTPConnection("127.0.0.1", at.port)
    connection.request("GET", at.path, headers={"Host": at.netloc})
    return connection.getresponse().read().decode()


def _status(variables: dict[str, str], execution: str) -> str:
    with patch.dict(os.environ, variables):
        client = boto3.Session().client("lambda")
    return str(client.get_durable_execution(DurableExecutionArn=execution)["Status"])


def test_should_play_the_demo_and_leave_nothing_running(hitl: Hitl, tmp_path: Path) -> None:
    demo = hitl("local", "demo", DEMO="reject")
    assert demo.returncode == 0, demo.stderr
    assert "Approval needed: Q4 Budget Proposal\n" in demo.stdout
    assert "5. The audit trail" in demo.stdout
    assert '"decision": "rejected"' in demo.stdout
    assert "everything is stopped" in demo.stdout
    assert _local_clouds(tmp_path) == set()


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


def _local_clouds(folder: Path) -> set[int]:
    """Those that were started with this folder; on this machine there may be others."""
    named = f"HITL_LOCAL_DIR={folder}".encode()
    found = {int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()}
    return {pid for pid in found if is_local_cloud(pid) and named in _environment(pid)}


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
