"""`hitl retract`: take one's own answer back."""

from __future__ import annotations

from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import As, Id, who
from hitl_approval_cli.short_ids import call_about


@connected
def retract(to: Connection, *, approval_id: Id, name: As = None) -> None:
    """Take your own answer back, while it has not decided anything; the history keeps both.

    Example: hitl retract 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --as ann
    """
    payload = {
        "action": "retract",
        "approval_id": approval_id,
        **who(name, by_session=to.deployment.session is not None),
    }
    answer = call_about(to.deployment, payload)
    to.show(
        answer,
        lambda: output.out.print(
            f"{output.safe(answer['approval_id'])} is without that answer: "
            f"{output.safe(answer['standing'])}",
            soft_wrap=True,
        ),
    )
