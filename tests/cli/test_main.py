"""How the command ends: a reader that has gone, a full disk, no stdout at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ID = "a" * 32
COMMANDS = [
    ["--help"], ["completion", "bash"], ["cost"], ["list"], ["list", "--json"], ["show", ID],
    ["status", ID], ["approve", ID, "--yes"],
]  # fmt: skip


def ended(words: list[str], stdout: int | None) -> subprocess.CompletedProcess[str]:
    """`hitl` with its output to a file descriptor, or with none; Python buffers as it does."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    program = [sys.executable, "-m", "tests.cli.piped", *words]
    if stdout is None:
        program = ["sh", "-c", 'exec "$@" >&-', "sh", *program]
    return subprocess.run(
        program, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=stdout,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_should_end_as_by_a_signal_when_the_reader_has_gone(words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = ended(words, writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("words", [["--version"], ["list", "--json"]], ids=" ".join)
def test_should_say_in_one_line_that_the_disk_is_full(words: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = ended(words, full.fileno())
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "the output was not written: No space left on device" in done.stderr
    assert "NOT_WRITTEN" in done.stderr


@pytest.mark.parametrize("words", [["--version"], ["list", "--json"]], ids=" ".join)
def test_should_run_without_a_stdout(words: list[str]) -> None:
    done = ended(words, None)
    assert (done.returncode, done.stderr) == (0, "")
