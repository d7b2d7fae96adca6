"""`hitl reassign`: ask somebody else in an approver's place."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hitl_approval.domain.text import shown
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.named_people import NamedPeople
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
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", help="Do not ask first where the deployment names nobody so."),
    ] = False,
) -> None:
    """Ask somebody else in an approver's place, who then cannot answer any more.

    An approver gives their own place; an operator may give anybody's, and so may who asked, where
    the deployment lets requests name who decides. Both are sent a message. Whoever takes a place
    decides as who had it could, also somebody whom the deployment does not name: `hitl` then asks
    first.

    Example: hitl reassign 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --from ann --to cid --as ann
    """
    named = None if yes else NamedPeople.find(to.deployment)
    if named and named.unknown([taker]) and not _agreed(to, taker, named):
        output.err.print("Nothing was changed.")
        return
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


def _agreed(to: Connection, taker: str, named: NamedPeople) -> bool:
    """Whether somebody unknown is meant: of a slip of the pen a stranger gets the link."""
    found = f"the deployment does not name {shown(taker)}, {named.in_words}"
    if to.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage(f"--to: {found}; pass --yes if this is meant")
    output.plain_error(f"{found}.")
    return typer.confirm(f"Ask {shown(taker)}, who may then decide?")
