"""`hitl status`: how a request stands, in one line."""

from __future__ import annotations

from hitl_approval_cli import approval_tables, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import Id
from hitl_approval_cli.short_ids import call_about

STATUS_FIELDS = (
    "approval_id", "status", "decided_by", "decided_at", "expires_at", "quorum_needed", "votes",
)  # fmt: skip


@connected
def status(to: Connection, *, approval_id: Id) -> None:
    """Say in one line how a request stands; the first word is its status.

    Example: hitl status 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = call_about(to.deployment, {"action": "get", "approval_id": approval_id})
    shown = {name: answer[name] for name in STATUS_FIELDS}
    to.show(shown, lambda: output.line(approval_tables.status_line(answer)))
