"""`hitl drain` on a deployed stack: what it withdraws resumes its workflow, then nothing runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .conftest import Live


def test_should_end_when_the_workflows_have(
    callback_live: Live, environment: dict[str, str]
) -> None:
    started = callback_live.submit()
    words = ["drain", "--withdraw", "--yes", "--as", "olga", "-m", "moved", "--within", "5m"]
    done = subprocess.run(
        [Path(sys.executable).with_name("hitl"), *words, "--json", "--stack", callback_live.stack],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert started["approval_id"] in answer.pop("withdrawn")
    assert answer == {"pending": [], "unread": 0, "executions": 0}
    outcome = callback_live.result(started["execution_arn"])
    assert (outcome["decision"], outcome["comments"]) == ("cancelled", "moved")
