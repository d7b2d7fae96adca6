"""The CDK CLI, run against the local cloud exactly as it is run against AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from hitl_approval import programs
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local.process import ACCOUNT
from hitl_approval_cli.local.tools import APP_FOLDER, Tools

LAST_LINES = 12
"""Lines of the CDK CLI's output that are shown when it fails."""


def nearest_app() -> Path | None:
    """The folder of a CDK app: this one or the nearest above it; None where there is none."""
    here = Path.cwd()
    return next((f for f in (here, *here.parents) if (f / "cdk.json").is_file()), None)


def start_bootstrap(root: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Begin `cdk bootstrap`; it needs no app, so the synthesis can run beside it."""
    words = ["bootstrap", f"aws://{ACCOUNT}/{environment['AWS_REGION']}"]
    return _start(root, environment, words, folder=Path(tempfile.gettempdir()))


def start_synth(
    root: Path, environment: Mapping[str, str], context: Mapping[str, str], assembly: Path
) -> subprocess.Popen[str]:
    """Begin `cdk synth` into a folder, where a current Lambda bundle is used again."""
    words = ["synth", "--quiet", "--output", str(assembly)]
    return _start(root, environment, [*words, *_context(context)])


def start_deploy(
    root: Path, environment: Mapping[str, str], assembly: Path
) -> subprocess.Popen[str]:
    """Begin `cdk deploy` of what `start_synth` left in a folder."""
    words = ["deploy", "--all", "--app", str(assembly), "--require-approval", "never"]
    return _start(root, environment, [*words, "--progress", "events"])


def finish(what: str, process: subprocess.Popen[str]) -> None:
    """Wait for a command's end.

    Raises:
        CliError: it failed; with the last lines that it wrote.
    """
    try:
        written, _ = process.communicate()
    except BaseException:  # Ctrl-C included: nothing that this command started outlives it
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        lines = [line for line in written.splitlines() if line.strip()][-LAST_LINES:]
        raise CliError(f"{what} failed", code="CDK_FAILED", output=lines)


def _start(
    root: Path,
    environment: Mapping[str, str],
    words: Sequence[str],
    *,
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    tools = Tools.here()
    own = root / "node_modules" / ".bin" / "cdk"
    command = own if own.exists() else tools.cdk
    if not command.exists():
        msg = "the CDK CLI is not installed: run `make setup`"
        raise CliError(msg, code="NO_CDK")
    # The pinned CLI runs on the Node that came with it, one of the app's own on the user's.
    node = [str(tools.binaries / "node")] if command == tools.cdk else []
    return subprocess.Popen(  # noqa: S603  the CDK CLI with fixed arguments
        [*node, str(command), *words, "--no-notices", "--ci"],
        cwd=folder or root,
        env={
            **_variables(root),
            **environment,
            "JSII_NODE": str(tools.binaries / "node"),
            "PATH": _path(root, tools),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def _variables(root: Path) -> dict[str, str]:
    """The CDK CLI's and the app's: no account, and of Python's what a user's app may need."""
    found = programs.without_aws(programs.variables(os.environ))
    if root == APP_FOLDER:
        return found
    return found | {k: v for k, v in os.environ.items() if k.startswith(("PYTHON", "VIRTUAL_ENV"))}


def _path(root: Path, tools: Tools) -> str:
    """Where `python3` of a cdk.json and Node are searched.

    A user's app is synthesized by this environment or by what the user has activated; what it lacks
    comes from this one. This project's own app needs this one.
    """
    before = os.environ.get("PATH", "")
    if root == APP_FOLDER:
        return os.pathsep.join([str(tools.binaries), before])
    here = [str(Path(sys.executable).parent)] if find_spec("aws_cdk") else []
    return os.pathsep.join([*here, before, str(tools.binaries)])


def stacks_in(assembly: Path) -> list[str]:
    """The names of the stacks that `start_synth` left in a folder."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    return [
        artifact.get("properties", {}).get("stackName", name)
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    ]


def _context(values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in ("-c", f"{name}={value}")]
