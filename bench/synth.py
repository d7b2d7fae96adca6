"""`cdk synth`, first and second, beside an app that is empty but for one handle.

Both are run as the CDK CLI runs them, without the CLI itself, which is the same for both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws_cdk import App
from jsii._kernel.providers import process

from bench.figures import Figure, Group
from hitl_approval_cdk import HitlApprovalStack, context

ROOT = Path(__file__).parents[1]
EMPTY = """
from aws_cdk import App, CfnWaitConditionHandle, Stack
app = App(analytics_reporting=False)
CfnWaitConditionHandle(Stack(app, "Empty"), "Nothing")
app.synth()
"""


def measure(quick: bool) -> Group:
    """Synthesize in turns, so that a busy moment meets both."""
    times = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        empty_app = Path(folder) / "empty.py"
        empty_app.write_text(EMPTY, encoding="utf-8")
        # A cache of its own: the bundle is made by the first.
        kept = {"HITL_CACHE_DIR": str(Path(folder) / "caches")}
        first = _seconds(ROOT / "app.py", Path(folder) / "ours", kept)
        second, empty = [], []
        for _ in range(times):
            second.append(_seconds(ROOT / "app.py", Path(folder) / "ours", kept))
            empty.append(_seconds(empty_app, Path(folder) / "empty", kept))
    return Group(
        title="Synthesis",
        figures=[
            Figure(
                name="messages to jsii in a synth",
                measured=messages(),
                unit="",
                limit=470,
                goal="at most",
                note="each is a write and a read of a pipe to Node, and what CDK does for it",
            ),
            Figure(name="first synth, bundle included", measured=round(first, 2), unit="s"),
            Figure(
                name="second synth",
                measured=round(min(second), 2),
                unit="s",
                baseline=round(min(empty), 2),
                against="an empty app",
                limit=1.4,
                goal="ratio at most",
                note=(
                    "an empty app only starts jsii and Node. What is left is mostly the CDK's own: "
                    "Python imports its modules of a dozen services, and each of some 60 "
                    "constructs and its properties is a message"
                ),
            ),
        ],
    )


def messages() -> int:
    """What the deployable app sends jsii's Node process to be synthesized, without its bundle."""
    count = 0
    send = process._NodeProcess.send

    def counted(self: Any, *words: Any) -> Any:
        nonlocal count
        count += 1
        return send(self, *words)

    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(analytics_reporting=False, context={**flags, "aws:cdk:bundling-stacks": []})
    with patch.object(process._NodeProcess, "send", counted):
        HitlApprovalStack(app, "Synthesized", **context.options({}))
        app.synth()
    return count


def _seconds(app: Path, out: Path, variables: dict[str, str]) -> float:
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= variables
    began = time.monotonic()
    subprocess.run(
        [sys.executable, str(app)],
        cwd=out.parent,
        # As where this is not set, from compiled Python: that is what a second synth is for.
        env={**environment, "CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        check=True,
    )
    return time.monotonic() - began
