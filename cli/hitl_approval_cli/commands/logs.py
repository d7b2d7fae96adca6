"""`hitl logs`: one request, followed over all functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from hitl_approval_cli import clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.function_logs import Line, find_groups, read_lines
from hitl_approval_cli.parameters import moment
from hitl_approval_cli.short_ids import call_about, whole_id
from hitl_approval_cli.times import local_time

FOLLOW_SECONDS = 2
"""Between two reads of the logs."""
LATELY = timedelta(hours=1)
"""What is shown of a function's log, where no time is named."""
LATE = 30_000
"""Milliseconds that CloudWatch may show a line after a later one."""

_LEVELS = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
_Follow = Annotated[
    bool, typer.Option("--follow", "-f", help="Stay, and show what is logged from now on.")
]
_Id = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="The approval's id, or 6 of its first characters."),
]
_Function = Annotated[
    str | None,
    typer.Option(
        help="Only of this function: workflow, request, approval, sweep, publisher, messenger, "
        "page, signedin or slack."
    ),
]
_Since = Annotated[
    str | None,
    typer.Option(
        help="Logged since then: 30m, 2026-01-31. Default: since the request was made; of a "
        "function the last hour."
    ),
]
_Groups = Annotated[
    list[str] | None,
    typer.Option("--log-group", help="Read that of a function of yours too; may be repeated."),
]


@connected
def logs(
    to: Connection,
    *,
    approval_id: _Id = None,
    function: _Function = None,
    since: _Since = None,
    follow: _Follow = False,
    log_group: _Groups = None,
) -> None:
    """Show what all functions have logged about one request, or what one function has.

    In the order of time; with --function alone, all lines of that function.

    Reads the logs with your own credentials (logs:FilterLogEvents,
    cloudformation:ListStackResources). Tokens and keys are covered; of a line that is several
    lines long, people see the first. With --follow, Ctrl-C ends it.

    Example: hitl logs 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c

    Example: hitl logs 1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c --since 1h

    Example: hitl logs --function publisher --since 1h
    """
    if approval_id is None and function is None:
        raise usage("name an approval, or a function by --function")
    groups = find_groups(to.deployment, log_group or (), function)
    whole, start = _begin(to, approval_id, since)

    def read(since: int) -> Sequence[Line]:
        return read_lines(to.deployment, groups, whole, since=since)

    lines = read(_milliseconds(start))
    if follow:
        _follow(to, whole, read, lines)
        return
    answer = {
        "approval_id": whole,
        "since": start.isoformat(),
        "lines": [line.to_dict() for line in lines],
    }
    to.show(answer, lambda: _show(whole, function, start, lines))


def _begin(
    to: Connection, approval_id: str | None, since: str | None
) -> tuple[str | None, datetime]:
    """The whole id, and from when on its logs are read."""
    start = moment(since)
    if approval_id is None:
        return None, start or clock.now() - LATELY
    if start is not None:
        return whole_id(to.deployment, approval_id), start
    record = call_about(to.deployment, {"action": "get", "approval_id": approval_id})
    return record["approval_id"], datetime.fromisoformat(record["created_at"])


def _follow(
    to: Connection,
    about: str | None,
    read: Callable[[int], Sequence[Line]],
    lines: Sequence[Line],
) -> None:
    seen: set[str] = set()
    newest = _milliseconds(clock.now())
    try:
        while True:
            new = [line for line in lines if line.event_id not in seen]
            for line in new:
                if to.as_json:
                    output.json_line(line.to_dict())
                else:
                    _print(line, about)
            seen.update(line.event_id for line in new)
            newest = max([newest, *(line.at for line in new)])
            clock.pause(FOLLOW_SECONDS)
            lines = read(newest - LATE)
    except KeyboardInterrupt:
        return


def _show(
    approval_id: str | None, function: str | None, start: datetime, lines: Iterable[Line]
) -> None:
    found = False
    for line in lines:
        found = True
        _print(line, approval_id)
    if not found:
        who = "no function" if function is None else f"the {output.safe(function)} function"
        what = "has logged anything" if function is None else "has logged nothing"
        about = "" if approval_id is None else f" about {output.safe(approval_id)}"
        output.out.print(
            f"{who} {what}{about} since {local_time(start.isoformat())}, where this began to read:"
            " CloudWatch shows a line some seconds later, and keeps it for the deployment's"
            " log_retention",
            soft_wrap=True,
        )


def _print(line: Line, about: str | None) -> None:
    """One line: when, which function, how bad, and the first line of what it says.

    Of which approval is not repeated where only one was asked for.
    """
    first, *rest = line.said.splitlines() or [""]
    if about is not None:
        first = first.replace(f" approval_id={about}", "")
    more = f" (and {len(rest)} lines more: --json)" if rest else ""
    level = line.level or ""
    output.out.print(
        f"[dim]{local_time(line.time)}[/]  {output.safe(line.function):<9} "
        f" [{_LEVELS.get(level, 'default')}]{level:<7}[/]  {output.safe(first)}[dim]{more}[/]",
        soft_wrap=True,
    )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
