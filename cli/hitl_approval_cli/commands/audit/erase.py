"""`hitl audit erase`: a person's values go, and the trails still verify."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from hitl_approval.contract import Output
from hitl_approval.domain.text import spelling
from hitl_approval_cli import clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.erasing import Approval, Erasing, Found, Refused, values_of
from hitl_approval_cli.errors import Exit, usage
from hitl_approval_cli.progress import bar
from hitl_approval_cli.records import Records


@connected
def erase(
    to: Connection,
    *,
    person: Annotated[
        str, typer.Argument(help="Their name, as requests and answers have it: an address, say.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Erase. Default: only show what would be.")
    ] = False,
) -> None:
    """Erase a person from what has ended more than a day ago, and let its trails verify.

    In the trails their name and what they have said are replaced by digests that nobody can guess
    from; records that name them go as a whole, with the messages to them. Without --yes it only
    shows which. What is open is refused by its id; then the exit status is 1. Nobody can undo it.
    What it needs of DynamoDB says docs/data.md.

    Example: hitl audit erase ann@example.com
    """
    if not spelling(person):
        raise usage("PERSON: must not be empty")
    records = Records(to.deployment)
    erasing = Erasing(
        client=to.deployment.client("dynamodb"),
        approvals_table=to.deployment.output(Output.APPROVALS_TABLE_NAME),
        audit_table=to.deployment.output(Output.AUDIT_TABLE_NAME),
        inbox_table=to.deployment.find_output(Output.INBOX_TABLE_NAME),
        messages_table=to.deployment.find_output(Output.MESSAGES_TABLE_NAME),
        signer=records.signer,
        person=person,
        command=to.deployment.command,
        now=clock.now(),
    )
    with records.reading():
        found = erasing.find()
        erased = _erase(erasing, found) if yes else found.approvals
    answer = _summary(erased, found, done=yes)
    to.show(answer, lambda: _show(answer))
    if found.refused:
        raise typer.Exit(Exit.FAILED)


def _erase(erasing: Erasing, found: Found) -> list[Approval]:
    """Erase what was found; those of which it is gone. The others are refused."""
    done = []
    with bar("Erasing", "approvals", total=lambda: len(found.approvals)) as advance:
        for approval in found.approvals:
            refused = erasing.erase(approval)
            if refused is None:
                done.append(approval)
            else:
                found.refused.append(refused)
            advance(1)
    for write in found.delegations:
        erasing.write(write)
    return done


def _summary(approvals: Sequence[Approval], found: Found, *, done: bool) -> dict[str, Any]:
    return {
        "erased": done,
        "approvals": [approval.approval_id for approval in approvals],
        "values": values_of(approvals),
        "records": sum(approval.row for approval in approvals),
        "messages": sum(len(approval.messages) for approval in approvals),
        "inbox_items": sum(len(approval.inbox) for approval in approvals),
        "delegations": len(found.delegations),
        "refused": [_refusal(refused) for refused in found.refused],
    }


def _refusal(refused: Refused) -> dict[str, str]:
    return {"approval_id": refused.approval_id, "problem": refused.problem}


def _show(answer: dict[str, Any]) -> None:
    counted = ", ".join(
        output.count(answer[name], noun)
        for name, noun in (
            ("values", "value"),
            ("records", "record"),
            ("messages", "message"),
            ("inbox_items", "inbox item"),
            ("delegations", "delegation"),
        )
    )
    for approval_id in answer["approvals"]:
        output.line(approval_id)
    for refused in answer["refused"]:
        output.line(f"refused {refused['approval_id']} {refused['problem']}")
    trails = output.count(len(answer["approvals"]), "approval")
    if answer["erased"]:
        output.line(f"erased from {trails}: {counted}")
    else:
        output.line(f"would be erased from {trails}: {counted}")
        output.line("Nothing was erased: pass --yes. Nobody can undo it.")
