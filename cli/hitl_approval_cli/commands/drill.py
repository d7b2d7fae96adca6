"""`hitl drill`: a harmless request to every approver shows who is reached and who answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalExpired,
    ApprovalNotFound,
    InvalidRequest,
)
from hitl_approval.domain.text import spelling
from hitl_approval_cli import clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, Exit, refused_field, usage
from hitl_approval_cli.named_people import NamedPeople, check_named
from hitl_approval_cli.outcome import Watch
from hitl_approval_cli.parameters import As, os_user, seconds

SUBJECT: Final = "Drill: nothing is decided by this"
"""Of a drill's request: in each message, on the page, in the audit trail and in events."""
CONTEXT: Final[Mapping[str, Any]] = {
    "drill": "This only checks who can be reached. Approve it to answer: nothing follows from it."
}
"""For people to read, and for who reads events to tell a drill by."""
OVER: Final = "the drill is over"
CHECK_SECONDS: Final = 5
"""Between two checks: a call each."""
_ENDED: Final = {AlreadyDecided.code, ApprovalExpired.code, ApprovalNotFound.code}
"""Refusals that say there is nothing to withdraw."""
_SPARE: Final = 60
"""Seconds that the request may outlast the drill: should nobody withdraw it, it ends by itself."""


@connected
def drill(
    to: Connection,
    *,
    approver: Annotated[
        list[str] | None,
        typer.Option(
            help="Who is asked; repeat for several. Default: everybody whom the deployment names."
        ),
    ] = None,
    within: Annotated[str, typer.Option(help="End it after 30m, 8h, 1d.")] = "10m",
    name: As = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """Ask every approver something harmless, to see who can be reached and who answers.

    One request that all must approve, marked as a drill in its subject; no workflow of yours waits
    for it, and nothing follows from it. It is withdrawn once all have answered, after --within, or
    by Ctrl-C. Whoever runs it is not asked. A rejection is an answer too, and ends the drill. The
    exit status is 1 if somebody could not be reached.

    Example: hitl drill --approver ann --approver bob --within 1m --yes
    """
    length, requester = seconds(within, "--within"), os_user() if name is None else name
    people = _people(to.deployment, approver, requester)
    if not yes:
        if to.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise usage("not a terminal, so nobody can be asked: pass --yes")
        if not typer.confirm(f"Ask {output.count(len(people), 'approver')}?"):
            output.err.print("Nobody was asked.")
            return
    started = to.deployment.submit(
        {
            "subject": SUBJECT,
            "requester": requester,
            "timeout_seconds": length + _SPARE,
            "context": dict(CONTEXT),
            "stages": [{"approvers": people, "quorum": "everyone", "quorum_count": 0}],
        }
    )
    deadline = clock.now() + timedelta(seconds=length)
    watch = Watch(to, started)
    try:
        watch.until_on_record()
        _watch(to, started["approval_id"], deadline)
    except KeyboardInterrupt:
        pass  # it is withdrawn, and how it stood is said, as at its end
    finally:
        _withdraw(to.deployment, started["approval_id"], requester)
    record = to.deployment.call({"action": "get", "approval_id": started["approval_id"]})
    found = _standing(record)
    answer = {"approval_id": started["approval_id"], "people": found}
    to.show(answer, lambda: _show(found))
    if not all(each["reached"] for each in found):
        raise typer.Exit(Exit.FAILED)


def _people(deployment: Deployment, wanted: list[str] | None, requester: str) -> list[str]:
    if wanted:
        try:
            check_named(deployment, {"approvers": wanted})
        except InvalidRequest as error:
            raise refused_field(str(error), error.details) or usage(str(error)) from None
    names = wanted or NamedPeople.of(deployment).people
    people = [each for each in names if spelling(each) != spelling(requester)]
    if not people:
        raise usage("nobody else is named by the deployment: name whom to ask with --approver")
    return people


def _watch(to: Connection, approval_id: str, deadline: datetime) -> None:
    """Wait until all have answered, somebody has rejected, or its time is up."""
    said = ""
    while clock.now() < deadline:
        record = to.deployment.call({"action": "get", "approval_id": approval_id})
        found = _standing(record)
        reached, answered = (sum(map(bool, (e[k] for e in found))) for k in ("reached", "answer"))
        line = f"{reached} of {len(found)} reached, {answered} answered"
        if line != said and not to.as_json:
            said = line
            output.plain_error(line)
        if record["status"] != "pending":
            return
        clock.pause(CHECK_SECONDS)


def _standing(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What became of each: by what they were reached, or why not, and what they answered."""
    answers = {
        spelling(vote.get("on_behalf_of") or vote["approver"]): vote["decision"]
        for vote in record["votes"]
    }
    return [
        {
            "approver": person,
            "reached": [m["channel"] for m in asking if m["state"] == "sent"],
            "not_reached": [
                f"{m['channel']}: {m['reason'] or m['state']}"
                for m in asking
                if m["state"] != "sent"
            ],
            "answer": answers.get(spelling(person)),
        }
        for person in record["approvers"]
        for asking in [_asking(record, person)]
    ]


def _asking(record: Mapping[str, Any], person: str) -> Sequence[Mapping[str, Any]]:
    return [
        message
        for message in record.get("messages", ())
        if message["kind"] == "requested" and spelling(message["recipient"]) == spelling(person)
    ]


def _withdraw(deployment: Deployment, approval_id: str, requester: str) -> None:
    """End it, unless it has ended or was never made; by itself it ends soon after."""
    payload = {"action": "cancel", "approval_id": approval_id, "approver": requester}
    try:
        deployment.call(payload | {"comments": OVER})
    except CliError as error:
        if error.code not in _ENDED:
            output.plain_error(f"not withdrawn, it ends by itself: {error}")


def _show(found: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("APPROVER", "REACHED", "ANSWER"):
        table.add_column(title)
    for each in found:
        by = ", ".join(each["reached"])
        why = "; ".join(each["not_reached"]) or "no message"
        table.add_row(
            output.safe(each["approver"]),
            f"by {by}" if by else f"[bold red]no:[/] {output.safe(why)}",
            each["answer"] or "none",
        )
    output.print_table(table)
