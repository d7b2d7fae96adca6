"""`docs/cli.md` is what the program says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hitl_approval_cli.errors import Exit
from tests.docs.cli_reference import FILE, Command, commands, page

CLI = Path(__file__).parents[2] / "cli" / "hitl_approval_cli"
PAGE = FILE.read_text(encoding="utf-8")


def test_should_be_what_make_docs_writes() -> None:
    assert page() == PAGE, "make docs"


@pytest.mark.parametrize("command", [*commands()], ids=lambda c: c.words)
def test_should_show_an_example_of_every_command(command: Command) -> None:
    assert command.examples
    for example in command.examples:
        assert f"hitl {command.words}" in example
    assert f"### hitl {command.words}\n" in PAGE


def test_should_name_every_code_of_the_command() -> None:
    written = {
        code
        for file in CLI.rglob("*.py")
        for code in re.findall(r'code="([A-Z_]+)"', file.read_text(encoding="utf-8"))
    }
    assert {code for code in written if f"`{code}`" not in PAGE} == set()


def test_should_name_every_exit_status() -> None:
    numbers = re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE)
    assert {int(n) for cell in numbers for n in cell.split(",")} == {int(e) for e in Exit}
