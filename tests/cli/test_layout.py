"""Each module of the command has a test of its name, and each test a module."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

import hitl_approval_cli

PACKAGE = Path(hitl_approval_cli.__file__).parent
TESTS = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("[!_]*.py"))
MAX_LINES = 400
ELSEWHERE: Mapping[str, str] = {
    # Both read one table that is tampered with in the same ways.
    "commands/audit/erase.py": "cli/test_erasing.py",
    "commands/audit/export.py": "cli/test_audit.py",
    "commands/audit/key.py": "cli/test_archive.py",
    "commands/audit/verify.py": "cli/test_audit.py",
    # Both are about the same rules.
    "commands/policy/show.py": "cli/test_policy.py",
    "commands/policy/test.py": "cli/test_policy.py",
    # Both are seen by the calls that the gate holds.
    "mcp_asking.py": "cli/test_mcp_gate.py",
    "mcp_names.py": "cli/test_mcp_gate.py",
    # Both are programs, which the official client starts.
    "mcp_child.py": "mcp/test_over_stdio.py",
    "mcp_stdio.py": "mcp/test_over_stdio.py",
    # Its numbers are compared with what the bench measured.
    "cost_model.py": "bench/test_cost_model.py",
    # What is fetched is seen by running commands, which need no cloud.
    "local/tools.py": "cli/test_tools.py",
}
"""Modules whose tests stand elsewhere -> where, each with its reason."""
OF_THE_COMMAND = {
    "test_audit.py": "of `hitl audit export` and `hitl audit verify`",
    "test_layout.py": "this",
    "test_policy.py": "of `hitl policy test` and `hitl policy show`",
    "test_printed_commands.py": "of the commands that every other command prints",
    "test_refusals.py": "of the exit status of all commands that answer",
    "test_shapes.py": "what `--json` prints, of every command",
    "test_verify_in_typescript.py": "of the digests that `hitl show` prints",
    "test_tools.py": "of local/tools.py, as said above",
}
"""Tests of tests/cli that are no module's own -> what they are of."""


def behaves(module: str) -> bool:
    """Whether a module has a function."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree))


def expected(module: str) -> Path:
    """Where the test of a module is expected, from tests/.

    A command's stands beside those of what it calls. The emulator's own modules, which are tested
    against one running cloud, have a folder of their own.
    """
    path = PurePosixPath(module)
    if path.parts[0] == "commands":
        path = path.relative_to("commands")
        return Path("cli", path.with_name(f"test_{path.name}"))
    folder = path.parts[0] if path.parts[0] == "local" else "cli"
    return Path(folder, f"test_{path.name}")


@pytest.mark.parametrize("module", [module for module in MODULES if behaves(module)])
def test_should_have_a_test_of_its_name(module: str) -> None:
    if module in ELSEWHERE:
        assert not (TESTS / expected(module)).exists(), "it is here now: no exception any more"
        assert (TESTS / ELSEWHERE[module]).is_file()
    else:
        assert (TESTS / expected(module)).is_file()


@pytest.mark.parametrize("module", MODULES)
def test_should_be_short_enough_to_read(module: str) -> None:
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def test_should_test_a_module_that_is_there() -> None:
    tests = {
        path.relative_to(TESTS)
        for folder in ("cli", "local")
        for path in (TESTS / folder).rglob("test_*.py")
    }
    stray = {path for path in tests if path.name not in OF_THE_COMMAND} - set(
        map(expected, MODULES)
    )
    assert not stray


def test_should_make_no_exception_that_nobody_needs() -> None:
    assert ELSEWHERE.keys() <= set(MODULES)
    assert all((TESTS / "cli" / name).is_file() for name in OF_THE_COMMAND)
