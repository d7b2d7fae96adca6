"""`hitl list`: approvals of one status."""

from __future__ import annotations

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
    csv: Annotated[
        bool, typer.Option("--csv", help="CSV of the whole list, for a spreadsheet.")
    ] = False,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> None:
    """List approvals of one status, newest first.

    A search by --requester or --subject reads at most 1,000 approvals for one page, and
    says how to go on.

    Example: hitl list --status approved --since 7d

    Example: hitl list --requester rita --subject budget

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


def _all(to: Connection, action: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The approvals of every page."""
    while True:
        page = to.deployment.call(action)
        yield from page["approvals"]
        if page["cursor"] is None:
            return
        action = action | {"cursor": page["cursor"]}
