"""The options that every command has which speaks to a deployment, written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

import typer

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval_cli import output
from hitl_approval_cli.deployment import VARIABLES, Deployment
from hitl_approval_cli.errors import usage


@dataclass(frozen=True)
class Connection:
    """A deployment to speak to, and how to show what it answers."""

    deployment: Deployment
    as_json: bool

    def show(self, answer: Any, for_people: Callable[[], object]) -> None:
        """One line of JSON with `--json`, else what people read."""
        if self.as_json:
            output.json_line(answer)
        else:
            for_people()


def _option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


_OPTIONS = (
    _option(
        "stack",
        Annotated[
            str,
            typer.Option(
                envvar=list(VARIABLES["stack"]),
                help="The deployed stack; Stack/Construct where it holds several deployments.",
            ),
        ],
        DEFAULT_STACK_NAME,
    ),
    _option(
        "region",
        Annotated[str | None, typer.Option(envvar=list(VARIABLES["region"]), help="AWS region.")],
        None,
    ),
    _option(
        "profile",
        Annotated[str | None, typer.Option(envvar=list(VARIABLES["profile"]), help="AWS profile.")],
        None,
    ),
    _option(
        "endpoint_url",
        Annotated[
            str | None,
            typer.Option(envvar=list(VARIABLES["endpoint_url"]), help="Another endpoint."),
        ],
        None,
    ),
    _option(
        "as_json",
        Annotated[bool, typer.Option("--json", help="JSON, one object on one line.")],
        False,
    ),
    _option(
        "verbose",
        Annotated[bool, typer.Option("--verbose", "-v", help="Name each call of AWS on stderr.")],
        False,
    ),
)


OPTIONS = frozenset({
    "--stack", "--region", "--profile", "--endpoint-url", "--json", "--verbose", "-v",
})  # fmt: skip
"""How they are typed."""


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options, and a `Connection` as its first argument."""
    return _connected(command, _OPTIONS)


def connected_to_a_program(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command whose output has a form of its own: there is no `--json`."""
    return _connected(command, [option for option in _OPTIONS if option.name != "as_json"])


def _connected(
    command: Callable[..., None], options: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    @functools.wraps(command)
    def run(
        *,
        stack: str,
        region: str | None,
        profile: str | None,
        endpoint_url: str | None,
        verbose: bool,
        as_json: bool = False,
        **given: Any,
    ) -> None:
        for option, value in (("--stack", stack), ("--region", region)):
            if value == "":
                raise usage(f"{option}: must not be empty")
        deployment = Deployment(stack, region, profile, endpoint_url, verbose)
        command(Connection(deployment, as_json), **given)

    hints = get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in list(inspect.signature(command).parameters.values())[1:]
    ]
    signature = inspect.Signature([*own, *options])
    vars(run)["__signature__"] = signature  # typer reads the options from it
    run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return run
