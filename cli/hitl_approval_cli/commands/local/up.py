"""`hitl local up`: start the local cloud, deploy, keep both running."""

from __future__ import annotations

from typing import Annotated

import typer

from hitl_approval_cli import output
from hitl_approval_cli.commands.local.deploy import deploy, fetch_tools, start
from hitl_approval_cli.commands.local.place import Place, remember, running
from hitl_approval_cli.parameters import Context, context_of

Keep = Annotated[
    bool, typer.Option(help="Keep tables and waiting workflows for the next `up`, or start anew.")
]
Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="Port on 127.0.0.1. Default: a free one.")
]
_LOST = (
    "The local cloud was killed or stopped in the middle of a deployment: it starts anew, without "
    "the tables, stacks and workflows of before."
)


def up(keep: Keep = False, port: Port = None, context: Context = None) -> None:
    """Start the local cloud, deploy and keep both running.

    Deploys the CDK app of this folder or the nearest one above it; where there is none, the stack
    of hitl-approval's own app. What the local cloud runs on is fetched at its first use.

    Example: hitl local up -c approval_timeout_seconds=7200
    """
    values = context_of(context)
    place = Place.here()
    fetch_tools()
    present = running(place)
    if present:
        output.out.print(f"Already running at {present['endpoint_url']}.")
        environment = present["environment"]
        pid, stacks = present["pid"], deploy(place, environment, values)
    else:
        cloud = start(place, port=port, keep=keep, detached=True)
        environment, pid = cloud.environment(), cloud.pid
        if cloud.lost:
            output.err.print(_LOST, style="yellow")
        try:
            stacks = deploy(place, environment, values)
        except BaseException:  # Ctrl-C included: a cloud without its stack is of no use
            cloud.stop()
            raise
    remember(place, pid, environment, stacks)
    names = ", ".join(f"[bold]{output.safe(name)}[/]" for name in stacks)
    what = f"The stack {names} runs" if len(stacks) == 1 else f"The stacks {names} run"
    output.out.print(
        f"\n{what} at {environment['AWS_ENDPOINT_URL']}.\n"
        f'  In another terminal:  eval "$({place.how("env")})"  then  hitl list  '
        "or any aws command\n"
        f"  To end it:            {place.how('down')}"
    )
