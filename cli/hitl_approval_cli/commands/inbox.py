"""`hitl inbox`: the requests that await a decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import typer
from rich.live import Live

from hitl_approval_cli import approval_tables, clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.parameters import As, Cursor, Limit, next_page, os_user
from hitl_approval_cli.times import time_left

WATCH_SECONDS = 5.0


@connected
def inbox(
    to: Connection,
    *,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only what awaits your own answer: see --as.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and refresh every 5 seconds.")
    ] = False,
    name: As = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> None:
    """Show the newest requests that await a decision, sorted by when they expire.

    With --mine those that name you and that you have not answered, the soonest expiry first of
    all; requests that anyone may decide name nobody. With --watch a terminal shows the page as it
    changes, a pipe gets a line for each request that is new; Ctrl-C ends it.

    Example: hitl inbox

    Example: hitl inbox --mine
    """
    action: dict[str, Any] = {"action": "list", "limit": limit}
    if mine:
        action = {"action": "inbox", "approver": _me(name), "limit": limit}
    if cursor is not None:
        action["cursor"] = cursor

    def read() -> dict[str, Any]:
        page = to.deployment.call(action)
        soonest = sorted(page["approvals"], key=lambda item: str(item["expires_at"]))
        return {**page, "approvals": soonest}

    if watch:
        _watch(to, read)
        return
    page = read()
    more = next_page(
        to.deployment,
        "inbox",
        page["cursor"],
        mine=mine,
        name=name if mine else None,
        limit=limit,
    )
    stack, every = to.deployment.stack, to.deployment.command("inbox")
    nothing = f"No pending approvals in {stack}."
    if mine:
        nothing = f"Nothing in {stack} awaits {_me(name)} by name: {every} shows all."
    to.show(page, lambda: approval_tables.approvals(page["approvals"], "pending", nothing, more))


def _me(name: str | None) -> str:
    return os_user() if name is None else name


def _watch(to: Connection, read: Callable[[], dict[str, Any]]) -> None:
    try:
        if output.out.is_terminal and not to.as_json:
            with Live(console=output.out, auto_refresh=False) as live:
                for page in _again_and_again(read):
                    live.update(
                        approval_tables.approvals_table(page["approvals"], "pending"), refresh=True
                    )
        seen: set[str] = set()
        for page in _again_and_again(read):
            ids = {item["approval_id"] for item in page["approvals"]}
            for item in page["approvals"]:
                if item["approval_id"] not in seen:
                    to.show(item, partial(_print_line, item))
            seen = ids | (seen if page["cursor"] else set())
    except KeyboardInterrupt:
        return


def _again_and_again(read: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        yield read()
        clock.pause(WATCH_SECONDS)


def _print_line(item: Mapping[str, Any]) -> None:
    """One pending approval on one line."""
    left, who = time_left(item["expires_at"]), item["requester"]
    output.line(f"{item['approval_id']}  {left}  {item['subject']} ({who})")
