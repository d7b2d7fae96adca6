"""`hitl resume`: complete the callback of a decided approval again."""

from __future__ import annotations

from hitl_approval_cli import approval_tables
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import Id
from hitl_approval_cli.short_ids import call_about


@connected
def resume(to: Connection, *, approval_id: Id) -> None:
    """Resume the workflow of a decided approval again, should it not have resumed.

    Writes nothing: the workflow reads the decision from the record. It also resumes by
    itself, at its next check or the next sweep.

    Example: hitl resume 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = call_about(to.deployment, {"action": "resume", "approval_id": approval_id})
    shown = {name: answer[name] for name in ("approval_id", "status", "workflow")}
    to.show(shown, lambda: approval_tables.decided({**answer, "already": False}))
