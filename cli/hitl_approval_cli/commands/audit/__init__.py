"""`hitl audit ...`: the audit table itself, read with the operator's own credentials."""

from __future__ import annotations

import typer

from hitl_approval_cli.commands.audit import export, key, verify

__all__ = ["audit"]

audit = typer.Typer(
    help="Verify and export the audit table, read with your own credentials (`grant_read` and"
    " `grant_read_audit`).",
    no_args_is_help=True,
)

audit.command()(verify.verify)
audit.command()(export.export)
audit.command()(key.key)
