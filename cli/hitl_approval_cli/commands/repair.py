"""`hitl repair`: what was put aside of an approval is taken up again."""

from __future__ import annotations

from typing import Annotated

import typer

from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import ids_of
from hitl_approval_cli.records import Records
from hitl_approval_cli.short_ids import call_about

_Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID...]", help="Or - to read ids from stdin.")
]
_All = Annotated[bool, typer.Option("--all", help="All that hitl doctor shows as put aside.")]


@connected
def repair(to: Connection, *, approval_ids: _Ids = None, every: _All = False) -> None:
    """Take up again what was put aside: records by the next sweep, messages by the messenger.

    Put right first what `hitl doctor` says of the records, and `hitl show` of the messages. Writes
    nothing but that they are due. With --all, which records there are is read with your own
    credentials; messages are taken up by the id of their approval.

    Example: hitl repair 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    if bool(approval_ids) is every:
        raise usage("name approvals, or pass --all")
    if every:
        ids = [one.approval_id for one in Records(to.deployment).postponed()]
    else:
        ids = ids_of(approval_ids or [])
    taken_up = [
        call_about(to.deployment, {"action": "repair", "approval_id": one})["approval_id"]
        for one in ids
    ]
    to.show({"approval_ids": taken_up}, lambda: _show(taken_up))


def _show(taken_up: list[str]) -> None:
    for approval_id in taken_up:
        output.out.print(f"{output.safe(approval_id)} is taken up again")
    if not taken_up:
        output.out.print("nothing is put aside")
