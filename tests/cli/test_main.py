"""How the command ends: a reader that has gone, a full disk, no stdout at all."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.testing import World
from hitl_approval_cli import main, output

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import requested

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


def test_should_show_its_version(hitl: Hitl) -> None:
    result = hitl("--version")
    assert (result.status, result.out) == (0, f"{LIBRARY_VERSION}\n")


def test_should_show_every_command_with_an_example(hitl: Hitl) -> None:
    from typer.main import get_command

    commands = get_command(main.app).commands  # type: ignore[attr-defined]
    assert set(commands) == {
        "inbox", "show", "approve", "reject", "comment", "delegate", "submit", "status", "cancel",
        "list",
        "get", "history", "audit", "policy", "local", "cost", "doctor", "reassign", "retract",
        "remind", "resume", "repair",
        "login", "logout", "logs", "slack-manifest", "template", "drain", "drill", "stats",
        "completion", "verify", "mcp",
    }  # fmt: skip
    for name in commands:
        assert hitl(name, "--help").status == 0
        for path, command in leaves(name, commands[name]):
            assert f"Example: hitl {path}" in command.help or path == "local env"


def leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The commands of a group, its own name first; a command by itself."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for inner, below in command.commands.items():
        yield from leaves(f"{name} {inner}", below)


@pytest.mark.parametrize("words", [[], ["local"], ["audit"]], ids=str)
def test_should_show_the_help_when_no_command_is_given(hitl: Hitl, words: list[str]) -> None:
    result = hitl(*words)
    assert (result.status, result.err) == (2, "")
    assert "Usage: " in result.out


@pytest.mark.parametrize(
    "words", [["list"], ["show", "1"], ["stats"], ["submit", "--subject", "x"]]
)
def test_should_end_quietly_when_interrupted(
    hitl: Hitl, cloud: FakeCloud, words: list[str]
) -> None:
    cloud.error = KeyboardInterrupt()  # type: ignore[assignment]
    result = hitl(*words)
    assert (result.status, result.out) == (130, "")
    assert "Traceback" not in result.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_should_show_what_the_encoding_lacks_as_escapes(
    cloud: FakeCloud, world: World, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    approval_id = requested(world, subject="Überweisung von 5 €", requester="\u738b")
    for words in (
        ["show", approval_id],
        ["list"],
        ["history", approval_id],
        ["status", approval_id],
    ):
        written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr("sys.stdout", written)
        monkeypatch.setattr("sys.argv", ["hitl", *words])
        monkeypatch.setattr(output, "out", output.console(width=100))
        with pytest.raises(SystemExit) as ended:
            main.main()
        written.flush()
        assert ended.value.code == 0
        if words[0] == "show":
            shown = written.buffer.getvalue().decode(encoding)
            assert ("€" in shown) == (encoding == "utf-8")
            assert ("\\u20ac" in shown) == (encoding != "utf-8")


RETIRED = re.compile(r"\b(ours|signed_in|signed-in)\b", re.IGNORECASE)
"""Words that stood for several things here alone; `tests/docs/retired.py` has those of all code."""


def test_should_use_one_word_for_each_idea() -> None:
    files = list((ROOT / "cli" / "hitl_approval_cli").rglob("*.py"))
    assert len(files) > 30
    found = {
        f"{file.name}: {match[0]}"
        for file in files
        for match in RETIRED.finditer(file.read_text(encoding="utf-8"))
    }
    assert found == set()
