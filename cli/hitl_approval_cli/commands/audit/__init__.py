"""`hitl audit ...`: the audit table itself, read with the operator's own credentials."""

from __future__ import annotations

import typer

from hitl_approval_cli.commands.audit import erase, export, key, verify

__all__ = ["audit"]

audit = typer.Typer(
    help="Verify and export the audit table, and erase a person from it, with your own credentials"
    " (`grant_read` and `grant_read_audit`; to erase, more).",
    no_args_is_help=True,
)

audit.command()(verify.verify)
audit.command()(export.export)
audit.command()(key.key)
audit.command()(erase.erase)
