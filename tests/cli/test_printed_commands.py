"""Every command that `hitl` prints can be typed as it stands, and reaches the same deployment."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import hitl_approval_cli
from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval.testing import World
from hitl_approval_cli import main
from hitl_approval_cli.connection import OPTIONS
from hitl_approval_cli.deployment import VARIABLES, Deployment
from tests.anything import any_opening, any_request

from .conftest import Hitl
from .pending import filed

PACKAGE = Path(hitl_approval_cli.__file__).parent
APP: Any = get_command(main.app)
CONNECTED = {
    name
    for name, command in APP.commands.items()
    if any("--stack" in option.opts for option in command.params) or name in {"audit", "policy"}
}
"""Commands that speak to a deployment."""
TYPED = re.compile(rf"\b(?:hitl ({'|'.join(sorted(CONNECTED))})\b(?!:)|aws [a-z0-9]+ [a-z]+-)")
HELP = {"Option", "Argument"}
FILES = [
    # What `hitl local` prints is typed after its `env`, which says the deployment.
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    if "local" not in file.parts
]


def texts(tree: ast.AST) -> Iterator[str]:
    """Every text but docstrings and what `--help` shows."""
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in HELP:
            left_out |= {each for each in ast.walk(node) if isinstance(each, ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in left_out:
            yield node.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_should_write_no_command_by_hand(file: Path) -> None:
    """`Deployment.command` does, which knows which deployment was meant."""
    found = [text for text in texts(ast.parse(file.read_text("utf-8"))) if TYPED.search(text)]
    assert found == []


def printed() -> Iterator[list[str]]:
    """The words of each command that the code prints, as far as they are known."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "command":
                words = [
                    str(each.value) if isinstance(each, ast.Constant) else "X"
                    for each in node.args
                    if not isinstance(each, ast.Starred)
                ]
                if words and words[0] in CONNECTED:
                    yield words


@pytest.mark.parametrize("words", list(printed()), ids=" ".join)
def test_should_print_commands_that_exist(words: list[str]) -> None:
    found = APP
    while hasattr(found, "commands"):
        found = found.commands[words[0]]
        words = words[1:]
    found.make_context(found.name, list(words))


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for names in VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("deployment", "options"),
    [
        (Deployment(DEFAULT_STACK_NAME), []),
        (Deployment("operated"), ["--stack", "operated"]),
        (
            Deployment("a/b", "eu-west-1", "my profile", "http://localhost:4566"),
            ["--stack", "a/b", "--region", "eu-west-1", "--profile", "my profile",
             "--endpoint-url", "http://localhost:4566"],
        ),
    ],
)  # fmt: skip
def test_should_say_which_deployment_where_a_bare_command_would_take_another(
    deployment: Deployment, options: list[str]
) -> None:
    assert shlex.split(deployment.command("resume", "1f0e7c")) == [
        "hitl", "resume", "1f0e7c", *options,
    ]  # fmt: skip
    own = options[2:]
    assert shlex.split(deployment.aws_command("kms", "enable-key")) == [
        "aws", "kms", "enable-key", *own,
    ]  # fmt: skip
    assert set(options[::2]) <= OPTIONS


def test_should_not_repeat_what_the_terminal_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HITL_STACK", "operated")
    monkeypatch.setenv("HITL_REGION", "eu-west-1")
    assert Deployment("operated", "eu-west-1").command("list") == "hitl list"
    assert Deployment("other").command("list") == "hitl list --stack other"
    # A bare command would take the variable's.
    assert Deployment(DEFAULT_STACK_NAME).command("list") == "hitl list --stack hitl-approval"
    # The AWS CLI does not read our variables.
    printed_there = Deployment("operated", "eu-west-1").aws_command("kms", "enable-key")
    assert printed_there == "aws kms enable-key --region eu-west-1"


def test_should_print_commands_that_reach_the_same_deployment(
    hitl: Hitl, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed in a terminal whose variable says another stack."""
    monkeypatch.setenv("HITL_STACK", "another")
    for number in range(1, 6):
        filed(
            world, str(number) * 32, request=any_request(requester="rita", approvers=["ann"]),
            timeout=timedelta(hours=number),
        )  # fmt: skip
    here = ("--stack", DEFAULT_STACK_NAME)
    assert hitl("list").status == 1
    said = [
        hitl("stats", "--approver", "ann", "--since", "2026-01-01", *here).out,
        hitl("list", "--limit", "2", *here).out,
    ]
    commands = re.findall(r"\b(hitl [a-z].*)", "\n".join(said))
    assert len(commands) >= 5
    for command in commands:
        words = shlex.split(command.replace("COLLEAGUE", "cid").replace("OPERATOR", "ann"))
        result = hitl(*words[1:])
        assert result.status == 0, result.err


@pytest.mark.parametrize(
    "words", [["list"], ["inbox"], ["inbox", "--mine"], ["stats"]], ids=" ".join
)
def test_should_say_where_there_is_nothing(hitl: Hitl, words: list[str]) -> None:
    assert f" in {DEFAULT_STACK_NAME}" in hitl(*words).out


def test_should_name_the_deployment_of_what_is_shown(hitl: Hitl, world: World) -> None:
    world.store.create(any_opening(now=world.clock.now()))
    assert DEFAULT_STACK_NAME not in hitl("list").out
