"""`hitl approve`, `hitl reject`, `hitl cancel`: one answer to several requests."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import INPUT
from hitl_approval_cli import approval_tables, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError, Exit, usage
from hitl_approval_cli.form_prompt import fill_in
from hitl_approval_cli.parameters import As, Ids, Message, Yes, ids_of, who
from hitl_approval_cli.short_ids import call_about, each_of
from hitl_approval_cli.values import settings_of, to_be_set, values_of, way_out_of

Decision = Literal["approved", "rejected", "cancelled"]

WAYS_OUT = {
    "allow_self_approval": "--as NAME says who decides; a deployment with allow_self_approval takes"
    " the requester's own decision",
    "require_verified_identity": "decide by a personal link, signed in on the page, or after"
    " {login}",
}
"""What to do about a policy's rule that refuses a decision."""


@connected
def approve(
    to: Connection,
    *,
    approval_ids: Ids,
    message: Message = "",
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="NAME=VALUE: fill in a field of the request's form, or change a value that it "
            "lets you change; repeat for several.",
        ),
    ] = None,
    name: As = None,
    yes: Yes = False,
) -> None:
    """Approve requests, after showing each and asking.

    What a request lets you change is set by --set, and so is what it asks to be filled in; in a
    terminal you are asked for the fields of its form, after --set only for what it still needs.
    hitl show says what all of that is. With --yes nothing is asked.

    Example: hitl approve 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c -m "Looks good"
    """
    answer = _answer(to, "approved", message, name)
    _decide_all(to, approval_ids, answer, yes=yes, typed=settings_of(given))


@connected
def reject(
    to: Connection, *, approval_ids: Ids, message: Message = "", name: As = None, yes: Yes = False
) -> None:
    """Reject requests, after showing each and asking.

    Example: hitl reject 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c -m "Needs revision"
    """
    _decide_all(to, approval_ids, _answer(to, "rejected", message, name), yes=yes)


@connected
def cancel(
    to: Connection, *, approval_ids: Ids, message: Message = "", name: As = None, yes: Yes = False
) -> None:
    """Withdraw requests, after showing each and asking: as their requester, or as an operator.

    Example: hitl cancel 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c -m "Not needed any more"
    """
    _decide_all(to, approval_ids, _answer(to, "cancelled", message, name), yes=yes)


def _answer(to: Connection, decision: Decision, message: str, name: str | None) -> dict[str, Any]:
    """The approval function's payload, but for the id: who is signed in needs no name."""
    said = {"comments": message, **who(name, by_session=to.deployment.session is not None)}
    if decision == "cancelled":
        return {"action": "cancel", **said}
    return {"action": "decide", "decision": decision, **said}


def _decide_all(
    to: Connection,
    given: list[str],
    answer: dict[str, Any],
    *,
    yes: bool,
    typed: Mapping[str, str] | None = None,
) -> None:
    """Decide each; one bad id stops nothing, and shows in the exit status."""
    ids = ids_of(given)
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage("not a terminal, so nobody can be asked: pass --yes")

    def decide(approval_id: str) -> None:
        _decide_one(to, {**answer, "approval_id": approval_id}, typed or {}, yes=yes)

    each_of(ids, decide, as_json=to.as_json)


def _decide_one(
    to: Connection, payload: dict[str, Any], typed: Mapping[str, str], *, yes: bool
) -> None:
    shown: dict[str, Any] = {}
    if not yes or typed:
        shown = call_about(to.deployment, {"action": "get", "approval_id": payload["approval_id"]})
        payload["approval_id"] = shown["approval_id"]
        if payload["action"] == "decide":  # bound to what was shown
            payload["content_digest"] = shown["content_digest"]
    if typed:
        payload |= values_of(shown, typed)
    if not yes:
        lines = approval_tables.approval(shown)
        if payload.get("decision") == "approved" and shown["status"] == "pending":
            asked = fill_in(shown, typed)
            payload |= {INPUT: {**payload.get(INPUT, {}), **asked}} if asked else {}
        for line in to_be_set(payload):
            output.out.print(output.safe(line), soft_wrap=True)
        verb = {"approved": "Approve", "rejected": "Reject"}.get(
            payload.get("decision", ""), "Cancel"
        )
        if lines >= output.out.height:
            output.err.print(
                f"This request takes {lines:,} lines, more than this screen has: scroll up to its "
                f"beginning, or read it with: "
                f"{output.safe(to.deployment.command('show', shown['approval_id']))} | less",
                soft_wrap=True,
            )
        if not typer.confirm(f"{verb} this request?"):
            output.err.print("Nothing was changed.")
            return
    try:
        result = call_about(to.deployment, payload)
    except CliError as error:
        way_out = WAYS_OUT.get(error.details.get("rule", "")) or way_out_of(error)
        if way_out is None:
            raise
        status = Exit.USAGE if error.code == InvalidRequest.code else error.status  # of --set
        way_out = way_out.replace("{login}", to.deployment.command("login"))
        raise CliError(
            f"{error}: {way_out}",
            code=error.code,
            status=status,
            details=error.details,
        ) from error
    to.show(result, lambda: approval_tables.decided(result))
