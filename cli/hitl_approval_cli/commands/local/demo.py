"""`hitl local demo`: one approval from the request to the audit trail, on a local cloud."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Annotated, cast, get_args

import typer

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval.domain.text import shown
from hitl_approval_cli import output
from hitl_approval_cli.commands.local.deploy import deploy, fetch_tools, start
from hitl_approval_cli.commands.local.mail import sent
from hitl_approval_cli.commands.local.place import Place
from hitl_approval_cli.demo import CONTEXT, Choice, play
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, Exit, usage
from hitl_approval_cli.local import APP_FOLDER


def demo(
    decide: Annotated[
        str | None,
        typer.Option(envvar="DEMO", help="approve, reject or timeout. Default: you are asked."),
    ] = None,
) -> None:
    """Deploy to a local cloud, ask you to approve, show the workflow resume, stop everything.

    You decide in the terminal or on the page of your personal link, whichever comes first.

    Example: hitl local demo --decide approve
    """
    if decide and decide not in get_args(Choice):
        raise usage(f"--decide: must be one of {', '.join(get_args(Choice))}, got {shown(decide)}")
    choice = cast("Choice | None", decide or None)
    if choice is None and not sys.stdin.isatty():
        choice = "approve"
    place = Place(APP_FOLDER, Place.here().folder)  # its document workflow, whatever is here
    fetch_tools()
    began = time.monotonic()
    try:
        with start(place, port=None, keep=False, detached=False) as cloud:
            environment = cloud.environment()
            deploy(place, environment, CONTEXT)
            with _as_environment(environment):
                play(Deployment(DEFAULT_STACK_NAME), choice, partial(sent, environment))
    except KeyboardInterrupt:
        output.err.print()  # below what was typed
        msg = "interrupted; everything is stopped"
        raise CliError(msg, code="INTERRUPTED", status=Exit.INTERRUPTED) from None
    output.out.print(f"\nDone in {time.monotonic() - began:.0f} s; everything is stopped.")


@contextmanager
def _as_environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
