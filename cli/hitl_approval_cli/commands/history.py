"""`hitl history`: the audit trail of one approval."""

from __future__ import annotations

import typer

from hitl_approval_cli import approval_tables
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import Exit
from hitl_approval_cli.parameters import Id
from hitl_approval_cli.short_ids import call_about


@connected
def history(to: Connection, *, approval_id: Id) -> None:
    """Show an approval's audit trail, oldest first, and whether it has been tampered with.

    Example: hitl history 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = call_about(to.deployment, {"action": "history", "approval_id": approval_id})
    to.show(answer, lambda: approval_tables.history(answer))
    if not answer["verified"]:
        raise typer.Exit(Exit.FAILED)
