"""`hitl local down`: stop what `up` started."""

from __future__ import annotations

from hitl_approval_cli import output
from hitl_approval_cli.commands.local.deploy import progress
from hitl_approval_cli.commands.local.place import Place, running, state_file
from hitl_approval_cli.local import stop_local_cloud


def down() -> None:
    """Stop what `up` started.

    Example: hitl local down
    """
    place = Place.here()
    present = running(place)
    if not present:
        output.out.print("Nothing is running.")
        return
    with progress("Stopping the local cloud"):
        stop_local_cloud(present["pid"])
    state_file(place).unlink(missing_ok=True)
    output.out.print("Stopped.")
