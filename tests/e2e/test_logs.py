"""`hitl logs` on a deployed stack: one request is followed from function to function."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from .conftest import Live, eventually


def test_should_follow_a_request_over_the_functions(
    callback_live: Live, environment: dict[str, str]
) -> None:
    started = callback_live.submit()
    approval_id = started["approval_id"]

    def hitl(*words: str) -> str:
        command = [
            str(Path(sys.executable).with_name("hitl")),
            *words,
            "--stack",
            callback_live.stack,
        ]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def lines() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(hitl("logs", approval_id, "--json"))["lines"]
        return found

    eventually(lambda: [line for line in lines() if line["function"] == "Workflow"], "request")
    hitl("approve", approval_id, "--yes", "--as", "olga")
    three = {"Workflow", "Approval", "Publisher"}
    eventually(lambda: three <= {line["function"] for line in lines()}, "lines of three functions")
    said = lines()
    assert [line["time"] for line in said] == sorted(line["time"] for line in said)
    assert all({"message", "level"} <= line.keys() for line in said)
    # The stream may bring a request to the publisher before the workflow has logged it.
    for what in ("requested", "published requested", "approved"):
        assert f"{what} approval_id={approval_id}" in {line["message"] for line in said}
