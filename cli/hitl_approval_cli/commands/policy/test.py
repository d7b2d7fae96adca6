"""`hitl policy test`: what rules would do with a request, without asking anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.rule import RuleReading, Rules, Ruling
from hitl_approval.domain.start import parse_document
from hitl_approval.domain.text import cut, listed
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import Exit, usage

_NONE = "none"


@connected
def run(
    to: Connection,
    *,
    rules: Annotated[Path, typer.Argument(help="A JSON list of rules.", metavar="RULES")],
    request: Annotated[
        Path,
        typer.Argument(help="JSON, as the packaged workflow is started with.", metavar="REQUEST"),
    ],
    expect: Annotated[
        str | None,
        typer.Option(help="End with 1 unless this rule matches; none: unless none does."),
    ] = None,
) -> None:
    """Say what rules would do with a request: which rule matches, which cannot be read and why.

    Nothing is asked of AWS. The exit status is 0 whatever the rules say, but for --expect; 2 for a
    file that is none.

    Example: hitl policy test rules.json request.json --expect big
    """
    try:
        found = Rules.from_json(_read(rules))
    except ValueError as error:
        raise usage(f"{cut(str(rules))}: {error}") from None
    try:
        ruling = found.rule_on(parse_document(_read(request)))
    except InvalidRequest as error:
        raise usage(f"{cut(str(request))}: {error}") from None
    to.show(answer_of(ruling), lambda: _show(ruling))
    matched = ruling.rule.id if ruling.rule else _NONE
    if expect is not None and expect != matched:
        raise typer.Exit(Exit.FAILED)


def answer_of(ruling: Ruling) -> dict[str, Any]:
    """What rules say of a request, as JSON values."""
    rule = ruling.rule.to_json() if ruling.rule else {}
    return {
        "digest": ruling.digest,
        "rule": rule.get("id"),
        "end": ruling.end,
        "held_back": ruling.held_back or None,
        "approvers": rule.get("approvers"),
        "quorum": rule.get("quorum"),
        "rules": [
            {
                "id": each.id,
                "state": each.state,
                "unread": [{"field": one.field, "why": one.why} for one in each.unread],
            }
            for each in ruling.readings
        ],
    }


def in_words(ruling: Ruling) -> str:
    """What would become of the request, in one sentence."""
    rule = ruling.rule
    if rule is None:
        return "No rule matches: the deployment's approvers and quorum decide."
    if ruling.end is not None:
        return f"Rule {rule.id}: {ruling.end} at once, nobody is asked."
    if ruling.held_back:
        held = f"Rule {rule.id} does not approve, because {ruling.held_back}"
        return f"{held}: people decide, by the deployment's approvers and quorum."
    asks = listed(rule.approvers) or "the deployment's approvers"
    quorum = rule.to_json().get("quorum")
    how_many = {
        None: "as many must approve as the deployment says",
        "any_one": "one must approve",
        "everyone": "all of them must approve",
        1: "one must approve",
    }
    return f"Rule {rule.id}: asks {asks}; {how_many.get(quorum, f'{quorum} must approve')}."


def _show(ruling: Ruling) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("RULE", "RESULT", "WHY"):
        table.add_column(heading)
    for each in ruling.readings:
        table.add_row(output.safe(each.id), each.state, output.safe(_why(each)))
    output.print_table(table)
    output.out.print(output.safe(in_words(ruling)), soft_wrap=True)


def _why(reading: RuleReading) -> str:
    return "; ".join(f"{each.field} {each.why}" for each in reading.unread)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise usage(f"{cut(str(path))}: {error.strerror}") from None
    except _TwiceError as error:
        raise usage(f"{cut(str(path))}: {error}") from None
    except (ValueError, RecursionError):
        raise usage(f"{cut(str(path))}: is not JSON") from None


class _TwiceError(ValueError):
    """A name stands twice in one object, and JSON readers differ on which one counts."""


def _once(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"has {cut(repr(twice))} twice in one object"
        raise _TwiceError(msg)
    return found
