"""`hitl list`: approvals of one status."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.table import as_csv
from hitl_approval_cli import approval_tables, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import Cursor, Limit, moment, next_page
from hitl_approval_cli.progress import bar

_LONGEST_PAGE = 100
"""Approvals that the function gives at once, at most."""


@connected
def list_(
    to: Connection,
    *,
    status: Annotated[str, typer.Option(help=f"One of {', '.join(STATUSES)}.")] = "pending",
    since: Annotated[
        str | None, typer.Option(help="Requested since then: 7d, 12h, or 2026-01-31. Default: all.")
    ] = None,
    requester: Annotated[str | None, typer.Option(help="Requested by this person.")] = None,
    subject: Annotated[
        str | None, typer.Option(help="With this in the subject, whatever its case.")
    ] = None,
    oldest: Annotated[
        bool, typer.Option("--oldest", help="The oldest first, and how old each is.")
    ] = False,
    csv: Annotated[
        bool, typer.Option("--csv", help="CSV of the whole list, for a spreadsheet.")
    ] = False,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> None:
    """List approvals of one status, newest first; with --oldest what has waited longest.

    A search by --requester or --subject reads at most 1,000 approvals for one page, and
    says how to go on. With --oldest the whole list is read, 100 approvals by a call.

    Example: hitl list --status approved --since 7d

    Example: hitl list --requester rita --subject budget

    Example: hitl list --oldest

    Example: hitl list --csv > pending.csv
    """
    if csv and to.as_json:
        raise usage("--csv: not together with --json")
    action: dict[str, Any] = {"action": "list", "status": status, "limit": limit}
    if (after := moment(since)) is not None:
        action["since"] = isoformat(after)
    wanted = {"requester": requester, "subject": subject, "cursor": cursor}
    action |= {field: value for field, value in wanted.items() if value is not None}
    if csv:
        output.utf8(as_csv(_all(to, action | {"limit": _LONGEST_PAGE})))
        return
    if oldest:
        if cursor is not None:
            raise usage("--oldest: not together with --cursor: a greater --limit shows more")
        _show_oldest(to, action, limit)
        return
    page = to.deployment.call(action)
    more = next_page(
        to.deployment,
        "list",
        page["cursor"],
        status=status,
        since=since,
        requester=requester,
        subject=subject,
        limit=limit,
    )
    nothing = f"No {status} approvals{' so far' if more else ''} in {to.deployment.stack}."
    to.show(page, lambda: approval_tables.approvals(page["approvals"], status, nothing, more))


def _show_oldest(to: Connection, action: dict[str, Any], limit: int) -> None:
    """The last so many of the whole list, the oldest first."""
    found: deque[Mapping[str, Any]] = deque(maxlen=limit)
    with bar("Reading", "approvals") as advance:
        for item in _all(to, action | {"limit": _LONGEST_PAGE}):
            found.append(item)
            advance(1)
    items, status = [*reversed(found)], action["status"]
    nothing = f"No {status} approvals in {to.deployment.stack}."
    to.show(
        {"approvals": items, "cursor": None},
        lambda: approval_tables.approvals(items, status, nothing, ages=True),
    )


def _all(to: Connection, action: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The approvals of every page."""
    while True:
        page = to.deployment.call(action)
        yield from page["approvals"]
        if page["cursor"] is None:
            return
        action = action | {"cursor": page["cursor"]}
