"""`hitl submit --wait`: look at a request until it is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from hitl_approval_cli import screen
from hitl_approval_cli.connected import Connection
from hitl_approval_cli.deployment import THROTTLED, Deployment
from hitl_approval_cli.errors import CliError, Exit

POLL_SECONDS = 2.0
START_LOOKS = 30
"""Looks in which the workflow may write its request. Ours: a minute."""
MAX_FAILURES = 10
"""Looks in a row that may fail in passing."""
EXITS = {
    "approved": Exit.OK,
    "rejected": Exit.REJECTED,
    "timeout": Exit.TIMED_OUT,
    "cancelled": Exit.CANCELLED,
}
_PASSING = THROTTLED | {"NOT_REACHED", "UNAVAILABLE", "FUNCTION_ERROR", "INTERNAL"}


def wait(to: Connection, started: Mapping[str, Any]) -> None:
    """Wait for the outcome and end the command with its exit status."""
    approval_id = started["approval_id"]
    try:
        with _line() as say:
            record = _outcome(to.deployment, started, say)
    except KeyboardInterrupt:
        msg = f"interrupted; the request stands: hitl status {approval_id}"
        raise CliError(msg, code="INTERRUPTED", status=Exit.INTERRUPTED) from None
    except CliError as error:
        if error.code == "WORKFLOW":
            raise
        msg = f"{error}; the request stands: hitl status {approval_id}"
        raise CliError(msg, code=error.code, details=error.details) from error
    to.show(record, lambda: screen.plain_error(screen.one_line(record)))
    if EXITS[record["status"]]:
        raise typer.Exit(EXITS[record["status"]])


def _outcome(
    deployment: Deployment, started: Mapping[str, Any], say: Callable[[str], None]
) -> dict[str, Any]:
    looks = failures = 0
    say("the workflow starts")
    while True:
        try:
            record = deployment.ask({"action": "get", "approval_id": started["approval_id"]})
        except CliError as error:
            if error.code == "APPROVAL_NOT_FOUND":
                looks += 1
                _check_it_starts(deployment, started, looks)
            else:
                failures += 1
                if failures > MAX_FAILURES or error.code not in _PASSING:
                    raise
        else:
            failures = 0
            if record["status"] != "pending":
                return record
            say(screen.one_line(record))
        screen.pause(POLL_SECONDS)


def _check_it_starts(deployment: Deployment, started: Mapping[str, Any], looks: int) -> None:
    status = deployment.outcome(started["execution_arn"])["Status"]
    if status != "RUNNING":
        msg = f"the workflow has {status.lower()} and asks for nothing: its log says why"
        raise CliError(msg, code="WORKFLOW")
    if looks > START_LOOKS:
        raise CliError("the workflow has not asked yet", code="NOT_ASKED")


@contextmanager
def _line() -> Iterator[Callable[[str], None]]:
    """A line on stderr: one that changes in a terminal, a new one for each change elsewhere."""
    if screen.err.is_terminal:
        with screen.err.status("") as live:
            yield lambda text: live.update(screen.safe(text))
        return
    said: list[str] = []

    def say(text: str) -> None:
        state = text.partition(",")[0]  # not the time left, which always changes
        votes = text.rpartition(",")[2]
        if said != [state, votes]:
            said[:] = [state, votes]
            screen.plain_error(text)

    yield say
