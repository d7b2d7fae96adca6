"""What approvals cost at list prices: `hitl cost`, beside the public pattern.

Quantities come from `cost_model` (durable operations, invocations) and from the calls of one
approval as `bench/calls.py` counts them; prices, their sources and what is assumed are in
`prices.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, get_args

import typer
from rich.table import Table

from hitl_approval import contract
from hitl_approval.domain.text import shown
from hitl_approval_cli import output
from hitl_approval_cli.cost_model import LONGEST_TIMEOUT, Usage, callback, pattern, polling
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import length

Quantities = Mapping[str, float]
"""Name of a price in `prices.json` -> how much is used of what it is the price of."""


@dataclass(frozen=True, slots=True)
class Units:
    """What one action consumes of DynamoDB, indexes included."""

    reads: float
    writes: float


SUBMIT, CHECK_AGAIN, DECIDE, RESUME = Units(0, 8), Units(0, 2), Units(1, 10), Units(2, 3)
"""Of an approval without a context: `tests/bench/test_cost.py` holds them against the calls."""
MESSAGE, REMINDERS = Units(1, 4), Units(0, 7)
"""Of one message to one person, its event's record read; and of the reminders of a request, ended
before the first was due."""
EARLIER = Units(1, 0)
"""Of the messages before, read when a request has ended."""
POLL = Units(1, 0)
PATTERN_CREATE, PATTERN_CHECK, PATTERN_DECIDE = Units(0, 2), Units(0.5, 0), Units(0.5, 3)
"""The pattern's row and its index: a put, an eventually consistent read, a read and an update."""
BYTES_PER_OPERATION, BYTES_PER_POLL, PATTERN_BYTES = 530, 910, 240
"""Checkpointed for one operation, as `bench.virtual` sees it: measured, rounded up."""

SWEEPS = 30 * 24 * 12
"""Runs of the sweep in a month: one each five minutes."""
SWEEP_READS = 1.5
"""Read units of a sweep that finds nothing: three queries, eventually consistent."""
MESSENGER_RUNS = 30 * 24 * 60
"""Runs of the messenger's clock in a month: one each minute."""
CUSTOM_METRICS = len(contract.METRICS) + len(get_args(contract.Channel)) - 1
"""Of a deployment that is monitored: each metric once, and the one by channel for each."""
ALARM_METRICS = 29
"""Metrics that the alarms of a deployment with a page watch, `pending_age` among them:
`tests/docs/test_costs.py` holds it against a template."""
MESSENGER_READS = 2
"""Read units of a run that finds nothing due: a query of each shard, eventually consistent."""


def callback_quantities(wait: timedelta) -> Quantities:
    """One approval with `resume="callback"`."""
    used = callback(wait)
    again = used.checks
    reads = SUBMIT.reads + again * CHECK_AGAIN.reads + DECIDE.reads + RESUME.reads
    writes = SUBMIT.writes + again * CHECK_AGAIN.writes + DECIDE.writes + RESUME.writes
    written = used.operations * BYTES_PER_OPERATION
    return _of_this_library(used, reads, writes, written)


def polling_quantities(wait: timedelta) -> Quantities:
    """One approval with `resume="polling"`."""
    used = polling(wait)
    reads = used.checks * POLL.reads + DECIDE.reads
    writes = SUBMIT.writes + DECIDE.writes + RESUME.writes
    return _of_this_library(used, reads, writes, used.checks * BYTES_PER_POLL)


def pattern_quantities(wait: timedelta) -> Quantities:
    """One approval with the public pattern's loop, until it is decided or the loop dies."""
    used = pattern(wait)
    return _quantities(
        used,
        reads=used.checks * PATTERN_CHECK.reads + PATTERN_DECIDE.reads,
        writes=PATTERN_CREATE.writes + PATTERN_DECIDE.writes,
        written=used.operations * PATTERN_BYTES,
        other_invocations=1,  # the decision
        events=0,
    )


def standing_quantities() -> Quantities:
    """What a deployment takes in a month without any approval: the sweep."""
    return _standing(SWEEPS, SWEEP_READS)


def _standing(runs: int, reads: float) -> Quantities:
    return {
        "lambda_request": runs,
        "lambda_gb_second": runs * _assumed("seconds_per_invocation") * _assumed("memory_gb"),
        "dynamodb_read_unit": runs * reads,
        "log_gb": runs * _assumed("log_bytes_per_invocation") / 1e9,
    }


def messenger_quantities() -> Quantities:
    """What the messenger's clock takes in a month besides, where there is a page."""
    return _standing(MESSENGER_RUNS, MESSENGER_READS)


def monitoring_quantities() -> Quantities:
    """What a deployment takes in a month that is monitored, with a page and every alarm."""
    return {"custom_metric": CUSTOM_METRICS, "alarm_metric": ALARM_METRICS, "dashboard": 1}


def with_messages(quantities: Quantities, messages: int) -> Quantities:
    """An approval with so many messages to one person each, all sent by mail at the first try."""
    if not messages:
        return quantities
    invocations = 2  # of the messenger: one for each event
    more = {
        "lambda_request": invocations,
        "lambda_gb_second": invocations
        * _assumed("seconds_per_invocation")
        * _assumed("memory_gb"),
        "dynamodb_write_unit": messages * MESSAGE.writes + REMINDERS.writes,
        "dynamodb_read_unit": messages * MESSAGE.reads + EARLIER.reads,
        "sns_publish": messages,
        "sns_email": messages,
        "log_gb": invocations * _assumed("log_bytes_per_invocation") / 1e9,
    }
    return {name: quantity + more.get(name, 0) for name, quantity in quantities.items()}


def bill(quantities: Quantities) -> dict[str, float]:
    """What each thing costs, in dollars."""
    return {
        name: quantity * _prices()["prices"][name]["usd"] / _prices()["prices"][name]["per"]
        for name, quantity in quantities.items()
    }


def total(quantities: Quantities) -> float:
    """What all of it costs, in dollars."""
    return sum(bill(quantities).values())


def through_the_function(quantities: Quantities, invocations: int) -> Quantities:
    """The same of a function that asks through the request function, and waits for its answers.

    Args:
        quantities: of an approval that is asked directly.
        invocations: of the request function.
    """
    more = {
        "lambda_request": invocations,
        # Twice: of the request function, and of who asks, which waits meanwhile.
        "lambda_gb_second": 2
        * invocations
        * _assumed("seconds_per_invocation")
        * _assumed("memory_gb"),
        "log_gb": invocations * _assumed("log_bytes_per_invocation") / 1e9,
    }
    return {item: amount + more.get(item, 0) for item, amount in quantities.items()}


def _of_this_library(used: Usage, reads: float, writes: float, written: float) -> Quantities:
    # The decision, and the publisher for each of two events, which reads the record for each.
    return _quantities(
        used, reads=reads + 2, writes=writes, written=written, other_invocations=3, events=2
    )


def _quantities(
    used: Usage,
    *,
    reads: float,
    writes: float,
    written: float,
    other_invocations: int,
    events: int,
) -> Quantities:
    invocations = used.invocations + other_invocations
    return {
        "durable_operation": used.operations,
        "durable_gb_written": written / 1e9,
        "durable_gb_month": written / 1e9 * _assumed("retention_months"),
        "lambda_request": invocations,
        "lambda_gb_second": invocations
        * _assumed("seconds_per_invocation")
        * _assumed("memory_gb"),
        "dynamodb_write_unit": writes,
        "dynamodb_read_unit": reads,
        "sns_publish": 1,
        "sns_email": _assumed("emails"),
        "event": events,
        "log_gb": invocations * _assumed("log_bytes_per_invocation") / 1e9,
    }


@cache
def _prices() -> Any:
    return json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))


def _assumed(name: str) -> float:
    return float(_prices()["assumptions"][name]["value"])


def cost(
    approvals: Annotated[
        int, typer.Option("--approvals-per-month", min=0, help="Approvals in a month.")
    ] = 1_000,
    median_wait: Annotated[str, typer.Option(help="Until the decision: 30m, 4h, 7d.")] = "4h",
    messages: Annotated[
        int,
        typer.Option(min=0, help="Messages to one person each of an approval, with a page."),
    ] = 0,
    monitoring: Annotated[
        bool, typer.Option("--monitoring", help="With a dashboard, every alarm and all metrics.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what approvals cost in a month at list prices, beside the public pattern.

    Example: hitl cost --approvals-per-month 1000 --median-wait 4h
    """
    wait = _wait(median_wait)
    standing = standing_quantities()
    if messages:
        clock = messenger_quantities()
        standing = {name: quantity + clock[name] for name, quantity in standing.items()}
    if monitoring:
        standing = {**standing, **monitoring_quantities()}
    designs = {
        "callback": (with_messages(callback_quantities(wait), messages), standing),
        "polling": (with_messages(polling_quantities(wait), messages), standing),
        "pattern": (pattern_quantities(wait), {}),
    }
    answer = {
        name: {
            "per_approval": round(total(each), 9),
            "standing": round(total(idle), 6),
            "per_month": round(approvals * total(each) + total(idle), 6),
            "operations": each["durable_operation"],
            "items": {item: round(usd, 9) for item, usd in bill(each).items()},
        }
        for name, (each, idle) in designs.items()
    }
    died = pattern(wait).died_after
    answer["pattern"]["dies_after_seconds"] = died.total_seconds() if died else None
    if as_json:
        output.json_line(answer)
        return
    _show(answer, approvals, median_wait, MONITORED if monitoring else CLOCKS)


CLOCKS, MONITORED = "standing: the clocks", "standing: the clocks, monitoring"
BOLD = (CLOCKS, MONITORED, "a month")
"""Rows that stand out."""


def _show(answer: Mapping[str, Any], approvals: int, wait: str, standing: str) -> None:
    labels = [*map(_label, answer["callback"]["items"]), standing, "a month"]
    columns = {
        name: [
            *(_dollars(usd * approvals) for usd in design["items"].values()),
            _dollars(design["standing"]),
            _dollars(design["per_month"]),
            f"${design['per_approval']:.6f}",
        ]
        for name, design in answer.items()
    }
    labels.append("each approval")
    output.out.print(f"{approvals:,} approvals a month, decided after {wait}")
    for group in _side_by_side(labels, columns):
        output.print_table(_table(labels, group))
    where = "List prices of us-east-1 with their sources, and what is assumed"
    output.out.print(f"{where}: hitl_approval_cli/commands/prices.json.", style="dim")
    if answer["pattern"]["dies_after_seconds"]:
        died = timedelta(seconds=answer["pattern"]["dies_after_seconds"])
        output.out.print(
            f"The pattern's loop runs out of durable operations after {died}: it ends "
            "before this decision comes, and its bill then."
        )


def _label(item: str) -> str:
    return item.replace("_", " ").replace("gb", "GB").replace("sns", "SNS")


def _side_by_side(
    labels: Sequence[str], columns: Mapping[str, Sequence[str]]
) -> Sequence[Mapping[str, Sequence[str]]]:
    """All designs in one table, or each in its own where a terminal is too narrow for figures."""
    figures = sum(max(map(len, (_title(name), *cells))) + 2 for name, cells in columns.items())
    if max(map(len, labels)) + figures <= output.out.width:
        return [columns]
    return [{name: cells} for name, cells in columns.items()]


def _table(labels: Sequence[str], columns: Mapping[str, Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for name in columns:
        table.add_column(_title(name), justify="right", no_wrap=True, overflow="fold")
    for row in zip(labels, *columns.values(), strict=True):
        table.add_row(*row, style="bold" if row[0] in BOLD else None)
    return table


def _title(name: str) -> str:
    return "the pattern" if name == "pattern" else name


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.4f}"


def _wait(value: str) -> timedelta:
    seconds = None if value.isdigit() else length(value)
    if seconds is None or seconds > LONGEST_TIMEOUT.total_seconds():
        raise usage(
            f"--median-wait: must look like 30m, 4h or 7d, at most 365d, got {shown(value)}"
        )
    return timedelta(seconds=seconds)
