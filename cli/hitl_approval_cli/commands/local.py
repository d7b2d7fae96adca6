"""`hitl local ...`: the local cloud with the stack deployed in it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self, cast, get_args

import typer

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval.domain.text import shown
from hitl_approval_cli import cdk, output
from hitl_approval_cli.demo import CONTEXT, Choice, play
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, Exit, usage
from hitl_approval_cli.local import (
    APP_FOLDER,
    LocalCloud,
    LocalCloudError,
    Tools,
    ToolsError,
    is_local_cloud,
    sent_messages,
    stop_local_cloud,
)

local = typer.Typer(
    help="A local cloud: AWS's APIs and its durable engine on this machine, no account, no Docker.",
    no_args_is_help=True,
)

Keep = Annotated[
    bool, typer.Option(help="Keep tables and waiting workflows for the next `up`, or start anew.")
]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="Port on 127.0.0.1. Default: a free one.")
]
Context = Annotated[
    list[str] | None,
    typer.Option("--context", "-c", help="CDK context, as `cdk deploy -c` takes it."),
]


FOLLOW_SECONDS = 0.5
_LOST = (
    "The local cloud was killed or stopped in the middle of a deployment: it starts anew, without "
    "the tables, stacks and workflows of before."
)


@dataclass(frozen=True)
class _Place:
    """Where a command works.

    Attributes:
        app: the folder of the CDK app that is deployed: the nearest one, else our own.
        folder: for the local cloud's log, state and assembly.
    """

    app: Path
    folder: Path

    @classmethod
    def here(cls) -> Self:
        app = cdk.nearest_app()
        kept = os.environ.get("HITL_LOCAL_DIR")
        return cls(app or APP_FOLDER, Path(kept) if kept else (app or Path.cwd()) / ".hitl")

    def how(self, command: str) -> str:
        """What a person types for `up`, `env` or `down`."""
        if cdk.nearest_app() == APP_FOLDER and (APP_FOLDER / "Makefile").is_file():
            return "make -s env" if command == "env" else f"make {command}"
        return f"hitl local {command}"


@local.command()
def up(keep: Keep = False, port: Port = None, context: Context = None) -> None:
    """Start the local cloud, deploy and keep both running.

    Deploys the CDK app of this folder or the nearest one above it; where there is none, the stack
    of hitl-approval's own app. What the local cloud runs on is fetched at its first use.

    Example: hitl local up -c approval_timeout_seconds=7200
    """
    values = _context(context)
    place = _Place.here()
    _fetch()
    running = _running(place)
    if running:
        output.out.print(f"Already running at {running['endpoint_url']}.")
        environment = running["environment"]
        pid, stacks = running["pid"], _deploy(place, environment, values)
    else:
        cloud = _start(place, port=port, keep=keep, detached=True)
        environment, pid = cloud.environment(), cloud.pid
        if cloud.lost:
            output.err.print(_LOST, style="yellow")
        try:
            stacks = _deploy(place, environment, values)
        except BaseException:  # Ctrl-C included: a cloud without its stack is of no use
            cloud.stop()
            raise
    _remember(place, pid, environment, stacks)
    names = ", ".join(f"[bold]{output.safe(name)}[/]" for name in stacks)
    what = f"The stack {names} runs" if len(stacks) == 1 else f"The stacks {names} run"
    output.out.print(
        f"\n{what} at {environment['AWS_ENDPOINT_URL']}.\n"
        f'  In another terminal:  eval "$({place.how("env")})"  then  hitl list  '
        "or any aws command\n"
        f"  To end it:            {place.how('down')}"
    )


@local.command()
def down() -> None:
    """Stop what `up` started.

    Example: hitl local down
    """
    place = _Place.here()
    running = _running(place)
    if not running:
        output.out.print("Nothing is running.")
        return
    with _progress("Stopping the local cloud"):
        stop_local_cloud(running["pid"])
    _state_file(place).unlink(missing_ok=True)
    output.out.print("Stopped.")


@local.command()
def env() -> None:
    """Print the exports for a second terminal.

    Example: eval "$(hitl local env)"
    """
    running = _must_run(_Place.here())
    stacks = running["stacks"]
    variables = {
        **running["environment"],
        **({"STACK_NAME": stacks[0]} if len(stacks) == 1 else {}),
    }
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    checkout = APP_FOLDER / ".venv" / "bin"
    if (checkout / "hitl").is_file():  # `make` runs it there; elsewhere it is on PATH already
        lines.append(f'export PATH={shlex.quote(str(checkout))}:"$PATH"')
    for line in lines:
        print(line)  # noqa: T201  for eval, unwrapped


def _must_run(place: _Place) -> dict[str, Any]:
    """What `up` started.

    Raises:
        CliError: nothing.
    """
    running = _running(place)
    if not running:
        msg = f"nothing is running: start it with `{place.how('up')}`"
        raise CliError(msg, code="NOT_RUNNING")
    return running


@local.command()
def mail(
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay, and show each as it is sent.")
    ] = False,
    open_: Annotated[
        bool, typer.Option("--open", help="Open the newest link in the browser.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="JSON; with --follow a message on each line.")
    ] = False,
) -> None:
    """Show every message that the local cloud "sent": SNS e-mail, SQS, SMS and SES, oldest first.

    Nothing leaves this machine. With --follow only what is sent from now on, until Ctrl-C; --open
    then opens each link as it comes.

    Example: hitl local mail
    """
    place = _Place.here()
    environment = _must_run(place)["environment"]
    known = _sent(environment)
    if not follow:
        _show(known, as_json=as_json, together=True)
        if open_:
            _open(known)
        return
    newest = known[-1]["number"] if known else 0
    try:
        while True:
            arrived = _sent(environment, newest)
            _show(arrived, as_json=as_json, together=False)
            for message in arrived if open_ else ():
                _open([message])
            newest = arrived[-1]["number"] if arrived else newest
            output.pause(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        return


def _sent(environment: Mapping[str, str], after: int = 0) -> list[dict[str, Any]]:
    try:
        return sent_messages(environment, after)
    except LocalCloudError as error:
        raise CliError(str(error), code="NOT_RUNNING") from error


def _show(messages: list[dict[str, Any]], *, as_json: bool, together: bool) -> None:
    if as_json:
        for answer in [{"messages": messages}] if together else messages:
            output.json_line(answer)
        return
    if together and not messages:
        output.out.print("No messages yet: `hitl local mail --follow` shows them as they come.")
    for message in messages:
        output.message(message)
        output.out.print()


def _open(messages: list[dict[str, Any]]) -> None:
    links = [link for message in messages for link in output.links(message["body"])]
    if links and not webbrowser.open(links[-1]):
        output.plain_error("There is no browser here: open the link by hand.")


@local.command()
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
    place = _Place(APP_FOLDER, _Place.here().folder)  # its document workflow, whatever is here
    _fetch()
    began = time.monotonic()
    try:
        with _start(place, port=None, keep=False, detached=False) as cloud:
            environment = cloud.environment()
            _deploy(place, environment, CONTEXT)
            with _as_environment(environment):
                play(Deployment(DEFAULT_STACK_NAME), choice, partial(_sent, environment))
    except KeyboardInterrupt:
        output.err.print()  # below what was typed
        msg = "interrupted; everything is stopped"
        raise CliError(msg, code="INTERRUPTED", status=Exit.INTERRUPTED) from None
    output.out.print(f"\nDone in {time.monotonic() - began:.0f} s; everything is stopped.")


def _start(place: _Place, *, port: int | None, keep: bool, detached: bool) -> LocalCloud:
    try:
        place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        msg = f"{place.folder}: {error.strerror}: go to another folder or set HITL_LOCAL_DIR"
        raise CliError(msg, code="NOT_WRITABLE") from error
    with _progress("Starting the local cloud"):
        try:
            return LocalCloud.start(
                port=port,
                state_dir=place.folder / "state" if keep else None,
                log_file=place.folder / "cloud.log",
                detached=detached,
            )
        except LocalCloudError as error:
            raise CliError(str(error), code="LOCAL_CLOUD") from error


def _fetch() -> None:
    """Have what the local cloud and the CDK run on."""
    tools = Tools.here()
    if tools.missing:
        with _progress("Fetching what the local cloud runs on, once, about a minute"):
            try:
                tools.fetch()
            except ToolsError as error:
                raise CliError(str(error), code="NOT_FETCHED") from error


def _deploy(
    place: _Place, environment: Mapping[str, str], context: Mapping[str, str]
) -> Sequence[str]:
    """Deploy the app; returns its stacks' names."""
    assembly = place.folder / "cdk.out"  # not the app's own: a `cdk` by hand must not be in the way
    with _progress("cdk bootstrap, and cdk synth beside it"):
        bootstrap = cdk.start_bootstrap(place.app, environment)
        try:
            cdk.finish("cdk synth", cdk.start_synth(place.app, environment, context, assembly))
        except BaseException:  # Ctrl-C included: nothing of ours outlives us
            bootstrap.kill()
            raise
        cdk.finish("cdk bootstrap", bootstrap)
    with _progress("cdk deploy"):
        cdk.finish("cdk deploy", cdk.start_deploy(place.app, environment, assembly))
    return cdk.stacks_in(assembly)


@contextmanager
def _progress(what: str) -> Iterator[None]:
    """Say what is going on, with a spinner in a terminal, and how long it took."""
    began = time.monotonic()
    if output.out.is_terminal:
        with output.out.status(f"{what} ..."):
            yield
    else:
        output.out.print(f"{what} ...")
        yield
    output.out.print(f"[green]ok[/] {what} ({time.monotonic() - began:.1f} s)")


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


def _context(given: list[str] | None) -> dict[str, str]:
    values = {}
    for word in given or []:
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise usage(f"--context: must look like name=value, got {shown(word)}")
        values[name] = value
    return values


def _state_file(place: _Place) -> Path:
    return place.folder / "local.json"


def _remember(
    place: _Place, pid: int, environment: Mapping[str, str], stacks: Sequence[str]
) -> None:
    state = {
        "pid": pid,
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "environment": dict(environment),
        "stacks": list(stacks),
    }
    file = _state_file(place)
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)  # it holds the cloud's key
    file.write_text(json.dumps(state), encoding="utf-8")


def _running(place: _Place) -> dict[str, Any] | None:
    """What `up` started, if it still runs; a stale note of it is removed."""
    file = _state_file(place)
    try:
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if is_local_cloud(state["pid"]):
        return state
    file.unlink(missing_ok=True)
    return None
