"""`hitl submit`: request an approval."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.start import parse_document
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import NotPermittedError, refused_field, show_error, usage
from hitl_approval_cli.named_people import check_named
from hitl_approval_cli.outcome import Watch
from hitl_approval_cli.outcome import wait as wait_for_outcome
from hitl_approval_cli.parameters import files_of, json_of, os_user, seconds
from hitl_approval_cli.short_ids import whole_id
from hitl_approval_cli.turn_words import stage_of, step_of


@connected
def submit(
    to: Connection,
    *,
    subject: Annotated[
        str, typer.Option("--subject", "--document-name", help="One line: what is to be approved.")
    ],
    document_id: Annotated[
        str | None, typer.Option(help="Your own id of the document. Default: none.")
    ] = None,
    requester: Annotated[
        str | None,
        typer.Option(
            envvar="HITL_USER",
            help="The requester, on record as declared. Default: the system's user.",
        ),
    ] = None,
    approver: Annotated[
        list[str] | None,
        typer.Option(
            help="Who may decide, of those whom the deployment names; repeat for several. "
            "Default: the deployment's, else anyone."
        ),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(help="Time to decide: 45s, 30m, 8h, 7d. Default: the stack's.")
    ] = None,
    business_hours: Annotated[
        float | None,
        typer.Option(
            help="Time to decide in hours, of which only Mon-Fri from 9 to 17 in --zone count; "
            "instead of --timeout."
        ),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Time zone of --business-hours: Europe/Berlin, say.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="JSON object the approver sees, or @file.json.")
    ] = None,
    sensitive: Annotated[
        list[str] | None,
        typer.Option(
            help="Field of the context that messages have masked, card or customer.iban say; "
            "repeat for several."
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="Who is asked, one stage after the other, instead of --approver: ann,bob, leads:2 "
            "where two must approve, or finance:1,security:2; repeat for the next."
        ),
    ] = None,
    escalate: Annotated[
        list[str] | None,
        typer.Option(
            help="Who is asked too when a stage takes so long: 8h:leads, or 8h:leads:replace for "
            "in the others' place; repeat for the next step."
        ),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(
            help="File that the approval is for: its name, size and SHA-256 go on the request, its "
            "bytes stay here; repeat for several."
        ),
    ] = None,
    supersedes: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Pending approval of the same requester that this one replaces; it ends as "
            "withdrawn.",
        ),
    ] = None,
    form: Annotated[
        Path | None,
        typer.Option(help="File with a JSON Schema of what an approver fills in to approve."),
    ] = None,
    editable: Annotated[
        list[str] | None,
        typer.Option(
            help="Field of the context that an approver may change, amount or customer.limit say; "
            "repeat for several."
        ),
    ] = None,
    traceparent: Annotated[
        str | None,
        typer.Option(
            help="The trace that the request belongs to, as W3C's header has it: on record, in "
            "events and logs."
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the outcome.")] = False,
) -> None:
    """Request an approval; prints its id when the request is on record, within a few seconds.

    Where the workflow refuses the request, its own sentence is the error and no id is printed.

    With --wait the exit status is the outcome: 0 approved, 3 rejected, 4 timeout, 5 cancelled. How
    it stands is shown on stderr; Ctrl-C leaves the request standing and ends with 130. With --json
    a second line is the decided approval, as `hitl show --json` has it.

    Example: hitl submit --subject "Q4 Budget Proposal" --timeout 8h

    Example: hitl submit --subject "Apply the plan" --file plan.tfplan
    """
    event: dict[str, Any] = {"requester": os_user() if requester is None else requester}
    if document_id is None:
        event["subject"] = subject
    else:
        event |= {"document_id": document_id, "document_name": subject}
    given = {
        "approvers": approver or None,
        "sensitive": sensitive or None,
        "stages": [stage_of(each) for each in stage or []] or None,
        "escalation": [step_of(each) for each in escalate or []] or None,
        "files": files_of(file) or None,
        "supersedes": None if supersedes is None else whole_id(to.deployment, supersedes),
        "editable": editable or None,
        "timeout_seconds": None if timeout is None else seconds(timeout),
        "traceparent": traceparent,
        "business_hours": _hours(business_hours, zone),
    }
    event |= {name: value for name, value in given.items() if value is not None}
    if context is not None:  # `--context null` is a context, to be refused
        event["context"] = json_of(context, "--context")
    if form is not None:
        event["form"] = json_of(f"@{form}", "--form")
    _check(to.deployment, event)
    started = to.deployment.submit(event)
    watch = Watch(to, started)
    try:
        watch.until_on_record()
    except NotPermittedError as error:
        if wait:
            raise
        show_error(error, as_json=to.as_json)
    # The id stands alone on stdout, for id=$(hitl submit ...)
    to.show(started, lambda: print(started["approval_id"], flush=True))  # noqa: T201
    if wait:
        wait_for_outcome(to, watch)


def _hours(hours: float | None, zone: str | None) -> dict[str, Any] | None:
    if (hours is None) != (zone is None):
        raise usage("--business-hours and --zone belong together")
    return None if hours is None else {"hours": hours, "zone": zone}


def _check(deployment: Deployment, event: dict[str, Any]) -> None:
    """Refuse here what the workflow would refuse: its failure would be seen only in its log."""
    try:
        parse_document(event)
        check_named(deployment, event)
    except InvalidRequest as error:
        raise refused_field(str(error), error.details) or usage(str(error)) from None
