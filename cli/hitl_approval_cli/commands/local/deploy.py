"""Start the local cloud and deploy an app in it: of `hitl local up` and `hitl local demo`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from hitl_approval_cli import cdk, output
from hitl_approval_cli.commands.local.place import Place
from hitl_approval_cli.commands.local.senders import verify_senders
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.local import LocalCloud, LocalCloudError, Tools, ToolsError


def fetch_tools() -> None:
    """Have what the local cloud and the CDK run on."""
    tools = Tools.here()
    if tools.missing:
        with progress("Fetching what the local cloud runs on, once, about a minute"):
            try:
                tools.fetch()
            except ToolsError as error:
                raise CliError(str(error), code="NOT_FETCHED") from error


def start(place: Place, *, port: int | None, keep: bool, detached: bool) -> LocalCloud:
    """Start the local cloud, with the state of before if `keep`."""
    try:
        place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        msg = f"{place.folder}: {error.strerror}: go to another folder or set HITL_LOCAL_DIR"
        raise CliError(msg, code="NOT_WRITABLE") from error
    with progress("Starting the local cloud"):
        try:
            return LocalCloud.start(
                port=port,
                state_dir=place.folder / "state" if keep else None,
                log_file=place.folder / "cloud.log",
                detached=detached,
            )
        except LocalCloudError as error:
            raise CliError(str(error), code="LOCAL_CLOUD") from error


def deploy(
    place: Place, environment: Mapping[str, str], context: Mapping[str, str]
) -> Sequence[str]:
    """Deploy the app; returns its stacks' names."""
    assembly = place.folder / "cdk.out"  # not the app's own: a `cdk` by hand must not be in the way
    with progress("cdk bootstrap, and cdk synth beside it"):
        bootstrap = cdk.start_bootstrap(place.app, environment)
        try:
            cdk.finish("cdk synth", cdk.start_synth(place.app, environment, context, assembly))
        except BaseException:  # Ctrl-C included: nothing that this command started outlives it
            bootstrap.kill()
            raise
        cdk.finish("cdk bootstrap", bootstrap)
    with progress("cdk deploy"):
        cdk.finish("cdk deploy", cdk.start_deploy(place.app, environment, assembly))
    stacks = cdk.stacks_in(assembly)
    verify_senders(environment, stacks)
    return stacks


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Say what is going on, with a spinner in a terminal, and how long it took."""
    began = time.monotonic()
    if output.out.is_terminal:
        with output.out.status(f"{what} ..."):
            yield
    else:
        output.out.print(f"{what} ...")
        yield
    output.out.print(f"[green]ok[/] {what} ({time.monotonic() - began:.1f} s)")
