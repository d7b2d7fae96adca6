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

from bench.figures import Figure, Group

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
            Figure(name="first synth, bundle included", measured=round(first, 2), unit="s"),
            Figure(
                name="second synth",
                measured=round(min(second), 2),
                unit="s",
                baseline=round(min(empty), 2),
                against="an empty app",
                limit=1.3,
                goal="ratio at most",
                note=(
                    "an empty app only starts jsii and Node; ours makes some 60 resources over "
                    "the same bridge, one message for each call"
                ),
            ),
        ],
    )


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
