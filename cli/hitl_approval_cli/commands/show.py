"""`hitl inbox`, `list`, `show`, `status`, `history`: what there is, by the approval function."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import typer
from rich.live import Live

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import isoformat
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import Exit
from hitl_approval_cli.parameters import As, Cursor, Id, Limit, moment, signed_in
from hitl_approval_cli.short_ids import ask_about

WATCH_SECONDS = 5.0


@connected
def inbox(
    to: Connection,
    *,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only what awaits your own answer: see --as.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and look every 5 seconds.")] = False,
    name: As = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> None:
    """Show the requests that await a decision: the newest, and of these the soonest expiry first.

    With --mine those that name you and that you have not answered, the soonest expiry first of
    all; requests that anyone may decide name nobody. With --watch a terminal shows the page as it
    changes, a pipe gets a line for each request that is new; Ctrl-C ends it.

    Example: hitl inbox

    Example: hitl inbox --mine
    """
    asked: dict[str, Any] = {"action": "list", "limit": limit}
    if mine:
        asked = {"action": "inbox", "approver": _me(name), "limit": limit}
    if cursor is not None:
        asked["cursor"] = cursor

    def read() -> dict[str, Any]:
        page = to.deployment.ask(asked)
        soonest = sorted(page["approvals"], key=lambda item: str(item["expires_at"]))
        return {**page, "approvals": soonest}

    if watch:
        _watch(to, read)
        return
    page = read()
    more = _more("inbox", page["cursor"], mine=mine, name=name, limit=limit)
    nothing = f"Nothing awaits {_me(name)} by name: hitl inbox shows all." if mine else ""
    to.show(page, lambda: output.approvals(page["approvals"], "pending", more, nothing))


def _me(name: str | None) -> str:
    return signed_in() if name is None else name


def _watch(to: Connection, read: Callable[[], dict[str, Any]]) -> None:
    try:
        if output.out.is_terminal and not to.as_json:
            with Live(console=output.out, auto_refresh=False) as live:
                for page in _again_and_again(read):
                    live.update(output.approvals_table(page["approvals"], "pending"), refresh=True)
        seen: set[str] = set()
        for page in _again_and_again(read):
            ids = {item["approval_id"] for item in page["approvals"]}
            for item in page["approvals"]:
                if item["approval_id"] not in seen:
                    to.show(item, partial(output.arrived, item))
            seen = ids | (seen if page["cursor"] else set())
    except KeyboardInterrupt:
        return


def _again_and_again(read: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        yield read()
        output.pause(WATCH_SECONDS)


@connected
def list_(
    to: Connection,
    *,
    status: Annotated[str, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = "pending",
    since: Annotated[
        str | None, typer.Option(help="Asked since then: 7d, 12h, or 2026-01-31. Default: all.")
    ] = None,
    requester: Annotated[str | None, typer.Option(help="Asked by this person.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="With this in the subject, whatever its case.")
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> None:
    """List approvals of one status, newest first.

    A search by --requester or --subject looks through at most 1,000 approvals for one page, and
    says how to go on.

    Example: hitl list --status approved --since 7d

    Example: hitl list --requester rita --subject budget
    """
    asked: dict[str, Any] = {"action": "list", "status": status, "limit": limit}
    if (after := moment(since)) is not None:
        asked["since"] = isoformat(after)
    wanted = {"requester": requester, "subject": subject, "cursor": cursor}
    asked |= {field: value for field, value in wanted.items() if value is not None}
    page = to.deployment.ask(asked)
    more = _more(
        "list",
        page["cursor"],
        status=status,
        since=since,
        requester=requester,
        subject=subject,
        limit=limit,
    )
    to.show(page, lambda: output.approvals(page["approvals"], status, more))


def _more(command: str, cursor: str | None, *, limit: int, **given: str | bool | None) -> str:
    """The command of the next page, "" where there is none."""
    if cursor is None:
        return ""
    words = ["hitl", command]
    for option, value in given.items():
        flag = f"--{'as' if option == 'name' else option}"
        if value is True:
            words.append(flag)
        elif isinstance(value, str):
            words += [flag, value]
    if limit != 20:  # noqa: PLR2004  the default
        words += ["--limit", str(limit)]
    return shlex.join([*words, "--cursor", cursor])


@connected
def show(to: Connection, *, approval_id: Id) -> None:
    """Show one approval, whole.

    Example: hitl show 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = ask_about(to.deployment, {"action": "get", "approval_id": approval_id})

    def for_people() -> None:
        output.approval(answer)
        if answer["status"] == "pending" and output.out.is_terminal:
            output.what_next(answer["approval_id"])

    to.show(answer, for_people)


@connected
def get(to: Connection, *, approval_id: Id) -> None:
    """Show one approval, whole: `hitl show` by its older name.

    Example: hitl get 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = ask_about(to.deployment, {"action": "get", "approval_id": approval_id})
    to.show(answer, lambda: output.approval(answer))


STATUS_FIELDS = (
    "approval_id", "status", "decided_by", "decided_at", "expires_at", "quorum_needed", "votes",
)  # fmt: skip


@connected
def status(to: Connection, *, approval_id: Id) -> None:
    """Say in one line how a request stands; the first word is its status.

    Example: hitl status 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = ask_about(to.deployment, {"action": "get", "approval_id": approval_id})
    told = {name: answer[name] for name in STATUS_FIELDS}
    to.show(told, lambda: output.line(output.one_line(answer)))


@connected
def history(to: Connection, *, approval_id: Id) -> None:
    """Show an approval's audit trail, oldest first, and whether it has been tampered with.

    Example: hitl history 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c
    """
    answer = ask_about(to.deployment, {"action": "history", "approval_id": approval_id})
    to.show(answer, lambda: output.history(answer))
    if not answer["verified"]:
        raise typer.Exit(Exit.FAILED)
