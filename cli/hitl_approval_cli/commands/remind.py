"""`hitl remind`: ask again who has not answered."""

from __future__ import annotations

from typing import Annotated

import typer

from hitl_approval.domain.text import listed_some
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import As, Ids, ids_of, os_user
from hitl_approval_cli.short_ids import call_about, each_of

To = Annotated[
    list[str] | None,
    typer.Option("--to", help="An approver to remind. Default: all who have not answered."),
]


@connected
def remind(to: Connection, *, approval_ids: Ids, recipients: To = None, name: As = None) -> None:
    """Send pending requests again to those who have not answered, each with a link of their own.

    One person is reminded of a request at most every ten minutes; `hitl show` says what became of
    it. One that cannot be sent again stops no other, and the exit status is 1 then.

    Example: hitl remind 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """

    def ask_again(approval_id: str) -> None:
        _remind(to, approval_id, recipients or [], name or os_user())

    each_of(ids_of(approval_ids), ask_again, as_json=to.as_json)


def _remind(to: Connection, approval_id: str, recipients: list[str], name: str) -> None:
    answer = call_about(
        to.deployment,
        {"action": "remind", "approval_id": approval_id, "approver": name, "to": recipients},
    )
    shown = {field: answer[field] for field in ("approval_id", "reminded")}
    names = output.safe(listed_some(answer["reminded"]))
    to.show(
        shown,
        lambda: output.out.print(
            f"{output.safe(answer['approval_id'])} is sent again to {names}", soft_wrap=True
        ),
    )
