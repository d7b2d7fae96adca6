"""`hitl local ...`: the local cloud with the stack deployed in it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval.domain.text import shown
from hitl_approval_cli import cdk, screen
from hitl_approval_cli.demo import Choice, play
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, usage

local = typer.Typer(
    help="A local cloud: AWS's APIs and its durable engine on this machine, no account, no Docker.",
    no_args_is_help=True,
)

Keep = Annotated[
    bool, typer.Option(help="Keep tables and waiting workflows for the next `up`, or start anew.")
]
Port = Annotated[int | None, typer.Option(help="Port on 127.0.0.1. Default: a free one.")]
Context = Annotated[
    list[str] | None,
    typer.Option("--context", "-c", help="CDK context, as `cdk deploy -c` takes it."),
]


@local.command()
def up(keep: Keep = False, port: Port = None, context: Context = None) -> None:
    """Start the local cloud, deploy the stack and keep both running.

    Example: hitl local up -c approval_timeout_seconds=7200
    """
    values = _context(context)
    root = cdk.project_root()
    running = _running(root)
    if running:
        screen.out.print(f"Already running at {running['endpoint_url']}.")
        cloud_environment = running["environment"]
        _deploy(root, cloud_environment, values)
    else:
        cloud = _start(root, port=port, keep=keep, detached=True)
        cloud_environment = cloud.environment()
        try:
            _deploy(root, cloud_environment, values)
        except BaseException:  # Ctrl-C included: a cloud without its stack is of no use
            cloud.stop()
            raise
        _remember(root, cloud.pid, cloud.endpoint_url, cloud_environment)
    screen.out.print(
        f"\nThe stack [bold]{DEFAULT_STACK_NAME}[/] runs at "
        f"{cloud_environment['AWS_ENDPOINT_URL']}.\n"
        '  In another terminal:  eval "$(make -s env)"  then  hitl list  or any aws command\n'
        "  To end it:            make down"
    )


@local.command()
def down() -> None:
    """Stop what `up` started.

    Example: hitl local down
    """
    root = cdk.project_root()
    running = _running(root)
    if not running:
        screen.out.print("Nothing is running.")
        return
    _stop(running["pid"])
    _state_file(root).unlink(missing_ok=True)
    screen.out.print("Stopped.")


@local.command()
def env() -> None:
    """Print the exports for a second terminal.

    Example: eval "$(hitl local env)"
    """
    running = _running(cdk.project_root())
    if not running:
        msg = "nothing is running: start it with `make up`"
        raise CliError(msg, code="NOT_RUNNING")
    for name, value in {**running["environment"], "STACK_NAME": DEFAULT_STACK_NAME}.items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201  for eval, unwrapped


@local.command()
def demo(
    decide: Annotated[
        str | None,
        typer.Option(envvar="DEMO", help="approve, reject or timeout. Default: you are asked."),
    ] = None,
) -> None:
    """Deploy to a local cloud, ask you to approve, show the workflow resume, stop everything.

    Example: hitl local demo --decide approve
    """
    if decide and decide not in get_args(Choice):
        raise usage(f"--decide: must be one of {', '.join(get_args(Choice))}, got {shown(decide)}")
    choice = cast("Choice | None", decide or None)
    if choice is None and not sys.stdin.isatty():
        choice = "approve"
    root = cdk.project_root()
    began = time.monotonic()
    cloud = _start(root, port=None, keep=False, detached=False)
    try:
        _deploy(root, cloud.environment(), {})
        with _as_environment(cloud.environment()):
            play(Deployment(DEFAULT_STACK_NAME), choice)
    except KeyboardInterrupt:
        cloud.stop()
        screen.plain_error("\nInterrupted; everything is stopped.")
        raise
    finally:
        cloud.stop()
    screen.out.print(f"\nDone in {time.monotonic() - began:.0f} s; everything is stopped.")


def _start(root: Path, *, port: int | None, keep: bool, detached: bool) -> Any:
    from hitl_approval_cli.local import LocalCloud, LocalCloudError

    folder = _folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    with _progress("Starting the local cloud"):
        try:
            return LocalCloud.start(
                port=port,
                state_dir=folder / "state" if keep else None,
                log_file=folder / "cloud.log",
                detached=detached,
            )
        except LocalCloudError as error:
            raise CliError(str(error), code="LOCAL_CLOUD") from error


def _deploy(root: Path, environment: Mapping[str, str], context: Mapping[str, str]) -> None:
    assembly = (
        _folder(root) / "cdk.out"
    )  # not the app's own: a `cdk` by hand must not be in the way
    with _progress("cdk bootstrap, and cdk synth beside it"):
        bootstrap = cdk.start_bootstrap(root, environment)
        try:
            cdk.finish("cdk synth", cdk.start_synth(root, environment, context, assembly))
        except BaseException:  # Ctrl-C included: nothing of ours outlives us
            bootstrap.kill()
            raise
        cdk.finish("cdk bootstrap", bootstrap)
    with _progress("cdk deploy"):
        cdk.finish("cdk deploy", cdk.start_deploy(root, environment, assembly))


@contextmanager
def _progress(what: str) -> Iterator[None]:
    """Say what is going on, with a spinner in a terminal, and how long it took."""
    began = time.monotonic()
    if screen.out.is_terminal:
        with screen.out.status(f"{what} ..."):
            yield
    else:
        screen.out.print(f"{what} ...")
        yield
    screen.out.print(f"[green]ok[/] {what} ({time.monotonic() - began:.1f} s)")


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


def _folder(root: Path) -> Path:
    """Where the local cloud's log, state and assembly are kept."""
    return Path(os.environ.get("HITL_LOCAL_DIR") or root / ".hitl")


def _state_file(root: Path) -> Path:
    return _folder(root) / "local.json"


def _remember(root: Path, pid: int, endpoint_url: str, environment: Mapping[str, str]) -> None:
    state = {"pid": pid, "endpoint_url": endpoint_url, "environment": dict(environment)}
    _state_file(root).write_text(json.dumps(state), encoding="utf-8")


def _running(root: Path) -> dict[str, Any] | None:
    """What `up` started, if it still runs; a stale note of it is removed."""
    file = _state_file(root)
    try:
        state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if _is_ours(state["pid"]):
        return state
    file.unlink(missing_ok=True)
    return None


def _is_ours(pid: int) -> bool:
    """Whether this process is a local cloud, not one that got its number since."""
    from hitl_approval_cli.local import is_local_cloud

    return is_local_cloud(pid)


def _stop(pid: int) -> None:
    from hitl_approval_cli.local import stop_local_cloud

    with _progress("Stopping the local cloud"):
        stop_local_cloud(pid)
