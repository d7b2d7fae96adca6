"""`hitl reassign`: ask somebody else in an approver's place."""

from __future__ import annotations

from typing import Annotated

import typer

from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import As, Id, Message, who
from hitl_approval_cli.short_ids import call_about


@connected
def reassign(
    to: Connection,
    *,
    approval_id: Id,
    taker: Annotated[str, typer.Option("--to", help="Who is asked from now on.")],
    giver: Annotated[
        str | None, typer.Option("--from", help="Whose place it is. Default: yours.")
    ] = None,
    message: Message = "",
    name: As = None,
) -> None:
    """Ask somebody else in an approver's place, who then cannot answer any more.

    An approver gives their own place; an operator may give anybody's, and so may who asked, where
    the deployment lets requests name who decides. Both are sent a message.

    Example: hitl reassign 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --from ann --to cid --as ann
    """
    payload = {
        "action": "reassign",
        "approval_id": approval_id,
        "to": taker,
        "comments": message,
        **({} if giver is None else {"from": giver}),
        **who(name, by_session=to.deployment.session is not None),
    }
    answer = call_about(to.deployment, payload)
    to.show(
        answer,
        lambda: output.out.print(
            f"{output.safe(answer['approval_id'])} now asks {output.safe(taker)}: "
            f"{output.safe(answer['standing'])}",
            soft_wrap=True,
        ),
    )
