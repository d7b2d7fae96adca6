"""The `hitl` command: parse, one call, show."""

from __future__ import annotations

import getpass
import json
import re
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.exceptions import TyperException

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.document import parse_document
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import cut, inert, shown
from hitl_approval_cli import screen
from hitl_approval_cli.connected import Connection, connected
from hitl_approval_cli.cost import cost
from hitl_approval_cli.errors import CliError, Exit, usage
from hitl_approval_cli.local_commands import local

app = typer.Typer(
    name="hitl",
    help="Human approvals for AWS workflows: ask, decide, look on.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(local, name="local")
app.command()(cost)

Id = Annotated[str, typer.Argument(metavar="ID", help="The approval's id.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Or - to read ids from stdin.")]
Message = Annotated[str, typer.Option("--message", "-m", help="Your comment.")]
As = Annotated[
    str | None,
    typer.Option("--as", envvar="HITL_USER", help="Your name. Default: the signed-in user's."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not show and ask first.")]
Decision = Literal["approved", "rejected", "cancelled"]


@app.command()
@connected
def submit(
    to: Connection,
    *,
    subject: Annotated[
        str, typer.Option("--subject", "--document-name", help="One line: what is asked.")
    ],
    document_id: Annotated[
        str | None, typer.Option(help="Your own id of the document. Default: a new one.")
    ] = None,
    requester: Annotated[
        str | None, typer.Option(envvar="HITL_USER", help="Who asks. Default: the signed-in user.")
    ] = None,
    approver: Annotated[
        list[str] | None, typer.Option(help="Who may decide; repeat for several. Default: anyone.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(help="Time to decide: 45s, 30m, 8h, 7d. Default: the stack's.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="JSON object the approver sees, or @file.json.")
    ] = None,
) -> None:
    """Ask for an approval; prints its id at once.

    Example: hitl submit --subject "Q4 Budget Proposal" --timeout 8h
    """
    event: dict[str, Any] = {
        "document_id": f"doc-{uuid.uuid4().hex[:12]}" if document_id is None else document_id,
        "document_name": subject,
        "requester": _signed_in() if requester is None else requester,
    }
    if approver:
        event["approvers"] = approver
    if timeout is not None:
        event["timeout_seconds"] = _seconds(timeout)
    if context is not None:
        event["context"] = _context(context)
    _check(event)
    started = to.deployment.submit(event)
    # The id stands alone on stdout, for id=$(hitl submit ...)
    to.show(started, lambda: print(started["approval_id"]))  # noqa: T201


@app.command("list")
@connected
def list_(
    to: Connection,
    *,
    status: Annotated[str, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = "pending",
    limit: Annotated[int, typer.Option(min=1, max=100, help="Items of this page.")] = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
) -> None:
    """List approvals of one status, newest first.

    Example: hitl list --status approved
    """
    payload: dict[str, Any] = {"action": "list", "status": status, "limit": limit}
    if cursor is not None:
        payload["cursor"] = cursor
    page = to.deployment.ask(payload)
    to.show(page, lambda: screen.approvals(page["approvals"], status, page["cursor"]))


@app.command()
@connected
def get(to: Connection, *, approval_id: Id) -> None:
    """Show one approval, whole.

    Example: hitl get 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = to.deployment.ask({"action": "get", "approval_id": approval_id})
    to.show(answer, lambda: screen.approval(answer))


@app.command()
@connected
def history(to: Connection, *, approval_id: Id) -> None:
    """Show an approval's audit trail, oldest first, and whether it has been tampered with.

    Example: hitl history 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = to.deployment.ask({"action": "history", "approval_id": approval_id})
    to.show(answer, lambda: screen.history(answer))
    if not answer["verified"]:
        raise typer.Exit(Exit.FAILED)


@app.command()
@connected
def approve(
    to: Connection, *, approval_ids: Ids, message: Message = "", name: As = None, yes: Yes = False
) -> None:
    """Approve requests, after showing each and asking.

    Example: hitl approve 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c -m "Looks good"
    """
    _decide_all(to, approval_ids, _answer("approved", message, name), yes=yes)


@app.command()
@connected
def reject(
    to: Connection, *, approval_ids: Ids, message: Message = "", name: As = None, yes: Yes = False
) -> None:
    """Reject requests, after showing each and asking.

    Example: hitl reject 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c -m "Needs revision"
    """
    _decide_all(to, approval_ids, _answer("rejected", message, name), yes=yes)


@app.command()
@connected
def cancel(
    to: Connection, *, approval_ids: Ids, message: Message = "", name: As = None, yes: Yes = False
) -> None:
    """Withdraw requests, after showing each and asking.

    Example: hitl cancel 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c -m "Not needed any more"
    """
    _decide_all(to, approval_ids, _answer("cancelled", message, name), yes=yes)


def _answer(decision: Decision, message: str, name: str | None) -> dict[str, Any]:
    """The approval function's payload, but for the id."""
    who = {"approver": _signed_in() if name is None else name, "comments": message}
    if decision == "cancelled":
        return {"action": "cancel", **who}
    return {"action": "decide", "decision": decision, **who}


def _decide_all(to: Connection, given: list[str], answer: dict[str, Any], *, yes: bool) -> None:
    """Decide each; one bad id stops nothing, and is told by the exit status."""
    ids = _ids(given)
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage("not a terminal, so nobody can be asked: pass --yes")
    failed = False
    for approval_id in ids:
        try:
            _decide_one(to, {**answer, "approval_id": approval_id}, yes=yes)
        except CliError as error:
            if len(ids) == 1:
                raise
            failed = True
            show_error(error, as_json=to.as_json, about=approval_id)
    if failed:
        raise typer.Exit(Exit.FAILED)


def _decide_one(to: Connection, payload: dict[str, Any], *, yes: bool) -> None:
    if not yes:
        shown = to.deployment.ask({"action": "get", "approval_id": payload["approval_id"]})
        screen.approval(shown)
        if payload["action"] == "decide":  # bound to what was shown
            payload["content_digest"] = shown["content_digest"]
        verb = {"approved": "Approve", "rejected": "Reject"}.get(
            payload.get("decision", ""), "Cancel"
        )
        if not typer.confirm(f"{verb} this request?"):
            screen.err.print("Nothing was changed.")
            return
    result = to.deployment.ask(payload)
    to.show(result, lambda: screen.decided(result))


def _signed_in() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        raise usage("this user has no name: set HITL_USER") from None


def _ids(given: list[str]) -> list[str]:
    if given != ["-"]:
        return given
    try:
        ids = sys.stdin.read().split()
    except UnicodeDecodeError:
        raise usage("stdin is not UTF-8 text") from None
    if not ids:
        raise usage("no approval ids on stdin")
    return ids


def _seconds(value: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})([smhd]?)", value)
    if not match or int(match[1]) == 0:
        raise usage(f"--timeout: must look like 45s, 30m, 8h or 7d, got {shown(value)}")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def _context(value: str) -> Any:
    where = value
    try:
        if value.startswith("@"):
            where = value[1:]
            value = Path(where).read_text(encoding="utf-8")
        return json.loads(value)
    except OSError as error:
        raise usage(f"--context: {cut(where)}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise usage("--context: is not JSON") from None


def _check(event: dict[str, Any]) -> None:
    """Refuse here what the workflow would refuse: its failure would be seen only in its log."""
    try:
        parse_document(event)
    except InvalidRequest as error:
        raise usage(str(error)) from None


def show_error(error: CliError, *, as_json: bool, about: str = "") -> None:
    """One line on stderr: a sentence, or an object with `--json`."""
    if as_json:
        details = error.to_dict()
        if about:
            details["approval_id"] = about
        screen.plain_error(json.dumps(details))
        return
    prefix = f"hitl: {cut(about)}: " if about else "hitl: "
    code = "" if error.status is Exit.USAGE else f" ({error.code})"
    screen.plain_error(inert(f"{prefix}{error}{code}", keep=""))


def run(words: Sequence[str]) -> int:
    """Run the command line and give its exit status; every failure is one line."""
    as_json = "--json" in words
    try:
        status: int | None = app(list(words), standalone_mode=False)
    except CliError as error:
        show_error(error, as_json=as_json)
        return error.status
    except TyperException as error:
        line = error.format_message()
        if line:  # none where the help has been shown instead
            show_error(usage(line), as_json=as_json)
        return Exit.USAGE
    except typer.Abort:
        screen.plain_error("Aborted.")
        return Exit.FAILED
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        return Exit.OK
    return status or Exit.OK


def main() -> None:
    """Run the words of the command line."""
    sys.exit(run(sys.argv[1:]))
