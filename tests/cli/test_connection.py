"""The options that every command has which speaks to a deployment."""

from __future__ import annotations

import inspect
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval_cli.connection import OPTIONS, Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

SEEN: list[tuple[Connection, int]] = []


@connected
def command(to: Connection, *, many: Annotated[int, typer.Option(help="How many.")] = 1) -> None:
    """A command of the test's."""
    SEEN.append((to, many))
    to.show({"many": many}, lambda: typer.echo(f"{many} of {to.deployment.stack}"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("HITL_STACK", "STACK_NAME", "HITL_REGION", "HITL_PROFILE", "HITL_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    SEEN.clear()
    return CliRunner()


APP = typer.Typer()
APP.command()(command)


def test_should_add_the_shared_options_to_its_own(run: CliRunner) -> None:
    names = inspect.signature(command).parameters
    assert list(names) == [
        *("many", "stack", "region", "profile", "endpoint_url", "as_json", "verbose"),
    ]
    shown = run.invoke(APP, ["--help"], env={"COLUMNS": "200"}).output
    assert all(option in shown for option in OPTIONS)


def test_should_speak_to_the_deployment_that_is_named(run: CliRunner) -> None:
    assert run.invoke(APP, []).exit_code == 0
    words = ["--stack", "Pay/One", "--region", "r", "--profile", "p", "--endpoint-url", "u", "-v"]
    assert run.invoke(APP, [*words, "--many", "3"]).exit_code == 0
    (default, one), (named, three) = SEEN
    assert (default.deployment, one) == (Deployment(DEFAULT_STACK_NAME, None, None, None), 1)
    assert named.deployment == Deployment("Pay/One", "r", "p", "u", verbose=True)
    assert three == 3


@pytest.mark.parametrize("variable", ["HITL_STACK", "STACK_NAME"])
def test_should_take_the_stack_from_the_environment(run: CliRunner, variable: str) -> None:
    assert run.invoke(APP, [], env={variable: "Pay"}).exit_code == 0
    assert SEEN[0][0].deployment == Deployment("Pay", None, None, None)


@pytest.mark.parametrize("option", ["--stack", "--region"])
def test_should_refuse_an_empty_name(run: CliRunner, option: str) -> None:
    refused = run.invoke(APP, [option, ""]).exception
    assert isinstance(refused, CliError)
    assert str(refused) == f"{option}: must not be empty"
    assert not SEEN


def test_should_answer_programs_with_json_and_people_with_text(run: CliRunner) -> None:
    assert run.invoke(APP, ["--json"]).output == '{"many": 1}\n'
    assert run.invoke(APP, ["--stack", "Pay"]).output == "1 of Pay\n"
