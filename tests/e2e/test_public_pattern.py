"""Every command block of the public pattern's Testing section, run with the real AWS CLI.

The blocks stand in `public_pattern_commands.json` as they are published. What is filled in: the
approval's id, the stack's name, and `hitl get` where the pattern calls its own tool. What version 1
of the AWS CLI, the one on PyPI, does not know: `--cli-binary-format raw-in-base64-out`, which tells
version 2 to do what version 1 always does, is left out; `logs tail` is `logs filter-log-events`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .conftest import Deploy, Live, eventually

BLOCKS: dict[str, str] = json.loads(
    Path(__file__).with_name("public_pattern_commands.json").read_text(encoding="utf-8")
)
Session = Callable[..., str]


@pytest.fixture
def live(deploy: Deploy) -> Live:
    """A stack of its own with the app's defaults, as a reader of the pattern deploys it."""
    return deploy("app-pattern")


@pytest.fixture
def shell(live: Live, environment: dict[str, str], tmp_path: Path) -> Session:
    """A terminal in which the variables of the local cloud are set."""
    return session(live, environment, tmp_path)


def session(live: Live, environment: Mapping[str, str], folder: Path) -> Session:
    """Run blocks in one shell session after another, its variables carried on as in a terminal."""
    binaries = str(Path(sys.executable).parent)
    variables = {
        **environment,
        "PATH": f"{binaries}:{environment['PATH']}",
        "AWS_PAGER": "",
        "HITL_STACK": live.stack,
    }

    def run(block: str, **fill: str) -> str:
        script = BLOCKS[block].replace("STACK_NAME=app-sam", f"STACK_NAME={live.stack}")
        script = script.replace(
            "python approval_cli.py get <approval_id>", "hitl get <APPROVAL_ID>"
        )
        for name, value in fill.items():
            script = script.replace(f"<{name}>", value)
        assert "<APPROVAL_ID>" not in script
        script = re.sub(
            r"aws logs tail (\S+) --follow",
            r"aws logs filter-log-events --log-group-name \1",
            script,
        )
        script = script.replace("  --cli-binary-format raw-in-base64-out \\\n", "")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{script}\nenv -0 > variables"],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{script}\n{done.stdout}\n{done.stderr}"
        for entry in (folder / "variables").read_text().split("\0"):
            name, _, value = entry.partition("=")
            if name in {"STACK_NAME", "WORKFLOW_FUNCTION", "APPROVAL_API_FUNCTION",
                        "WORKFLOW_VERSION"}:  # fmt: skip
                variables[name] = value
        return done.stdout

    return run


def status_of(item: str) -> Any:
    return json.loads(item)["Item"]["status"]["S"]


def ids_in(scanned: str) -> set[str]:
    return {item["approval_id"]["S"] for item in json.loads(scanned)["Items"]}


def test_should_run_the_patterns_commands_from_start_to_end(
    shell: Session, live: Live, tmp_path: Path
) -> None:
    """Its timeout of a minute passes while people decide."""
    shell("set environment variables")
    first = requested(shell)
    timing_out = invoke_with_a_timeout(shell)
    assert timing_out["approval_id"]["S"] != first
    decided(shell, live, tmp_path, first, "approve", "approved")
    decided(shell, live, tmp_path, requested(shell), "reject", "rejected")
    times_out(shell, live, timing_out)


def requested(shell: Session) -> str:
    """Starts a workflow; the id of its request."""
    already = ids_in(shell("scan all"))
    assert '"StatusCode": 202' in shell("invoke the workflow")

    def new_pending() -> Any:
        return list(ids_in(shell("list pending approvals")) - already)

    (approval_id,) = eventually(new_pending, "pending approval")
    return str(approval_id)


def invoke_with_a_timeout(shell: Session) -> Any:
    shell("invoke with a timeout")

    def timing_out() -> Any:
        items = json.loads(shell("scan all"))["Items"]
        return [i for i in items if i["document_id"]["S"] == "doc-456"]

    (item,) = eventually(timing_out, "approval")
    approval_id = item["approval_id"]["S"]
    # The pattern waits its 60 seconds out; an impatient operator may also check now.
    assert "pending" in shell("check the status", APPROVAL_ID=approval_id)
    return item


def decided(  # noqa: PLR0917  what a line of the test says
    shell: Session, live: Live, folder: Path, approval_id: str, block: str, decision: str
) -> None:
    assert status_of(shell("get approval details", APPROVAL_ID=approval_id)) == "pending"

    shell(block, APPROVAL_ID=approval_id)
    answer = json.loads((folder / "approval_response.json").read_text())
    assert answer["statusCode"] == 200

    arn = live.row(approval_id)["execution_arn"]["S"]
    assert live.result(arn)["decision"] == decision
    assert status_of(shell("get approval details", APPROVAL_ID=approval_id)) == decision
    assert "REPORT RequestId" in shell("verify workflow completion", APPROVAL_ID=approval_id)


def times_out(shell: Session, live: Live, item: Any) -> None:
    created, expires = item["created_at"]["S"], item["expires_at"]["S"]
    assert created[:16] != expires[:16]
    assert live.result(item["execution_arn"]["S"], patience=90)["decision"] == "timeout"
    assert "timeout" in shell("check the status", APPROVAL_ID=item["approval_id"]["S"])
