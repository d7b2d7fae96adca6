"""`hitl delegate`: while somebody is away, another person answers what they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from hitl_approval.domain.text import shown
from hitl_approval_cli import clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import As, length, os_user
from hitl_approval_cli.times import local_time

To = Annotated[str | None, typer.Option("--to", help="Who answers instead.")]
From = Annotated[
    str | None,
    typer.Option("--from", help="From then on: 3d, 2026-12-01, or with a time. Default: now."),
]
Until = Annotated[
    str | None, typer.Option("--until", help="And then not any more: 14d, or 2026-12-15.")
]
End = Annotated[bool, typer.Option("--none", help="End it: answer for yourself again.")]
For = Annotated[
    str | None, typer.Option("--for", help="For operators: whose requests, if not your own.")
]


@connected
def delegate(
    to: Connection,
    *,
    delegate_to: To = None,
    starts: From = None,
    until: Until = None,
    none: End = False,
    giver: For = None,
    name: As = None,
) -> None:
    """Let another person answer what you are asked while you are away; alone: show what stands.

    They find your requests in `hitl inbox --mine` and on the inbox page, marked as yours, and are
    sent no messages about them. Both names go on record. `14d` is fourteen days from now; dates
    begin at midnight, local unless they say; `--until` is the first moment at which it does not
    count any more. You can answer yourself all the same: who is first has answered for both.

    Example: hitl delegate --to bob --from 3d --until 14d

    Example: hitl delegate --none
    """
    payload: dict[str, Any] = {"action": "end_delegation" if none else "delegation"}
    given = {"--to": delegate_to, "--from": starts, "--until": until}
    if none and any(given.values()):
        raise usage("--none: ends what stands, and goes with nothing else")
    if any(given.values()):
        for option in ("--to", "--until"):
            if not given[option]:
                raise usage(f"{option}: must be there to delegate; --none ends what stands")
        payload = {"action": "delegate", "to": delegate_to, "until": _time(until, "--until")}
        if starts is not None:
            payload["from"] = _time(starts, "--from")
    if giver is not None:
        payload["for"] = giver
    if name is not None or to.deployment.session is None:
        payload["approver"] = os_user() if name is None else name
    answer = to.deployment.call(payload)
    to.show(answer, lambda: _print(answer, giver))


def _time(value: str | None, option: str) -> str:
    try:
        ahead = length(str(value))
        if ahead is not None:
            return (clock.now() + timedelta(seconds=ahead)).isoformat()
        return datetime.fromisoformat(str(value)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        like = "must look like 14d, 2026-01-31 or 2026-01-31T12:00:00Z"
        raise usage(f"{option}: {like}, got {shown(value)}") from None


def _print(answer: Mapping[str, Any], giver: str | None) -> None:
    whom = output.safe(giver) if giver else "you"
    given = answer["given"]
    if given is None:
        output.line(f"Nobody answers for {whom}.")
    else:
        _line(given["to"], "answers", "for", whom, given)
    for one in answer["received"]:
        _line(giver or "You", "answers" if giver else "answer", "for", one["giver"], one)


def _line(who: str, verb: str, word: str, whom: str, one: Mapping[str, Any]) -> None:
    start, end = (local_time(one[name]) for name in ("from", "until"))
    by = f"{output.safe(one['given_by'])} ({output.safe(one['identity'])})"
    output.out.print(
        f"{output.safe(who)} {verb} {word} {output.safe(whom)} from {start} until {end}, said {by}",
        soft_wrap=True,
    )
