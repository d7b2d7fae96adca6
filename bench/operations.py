"""Lambda invocations and durable operations per approval: real runs in virtual time, and a model.

Every count is a real execution of the deployed code on AWS's local durable engine, but for the
pattern's loop beyond 5 minutes, which is counted by its model: `cost_model.pattern`.
"""

from __future__ import annotations

from datetime import timedelta

from bench.figures import Chart, Figure, Group, Table, number
from bench.virtual import count
from hitl_approval.contract import MAX_OPERATIONS
from hitl_approval_cli.cost_model import DESIGNS, LONGEST_TIMEOUT, Usage, pattern

WAITS = {
    "1 min": timedelta(minutes=1),
    "5 min": timedelta(minutes=5),
    "1 h": timedelta(hours=1),
    "24 h": timedelta(days=1),
    "7 d": timedelta(days=7),
    "366 d": LONGEST_TIMEOUT,
}
"""Until the decision; the last until the longest timeout there is, 366 days less 15 minutes."""

LONGEST_PATTERN_RUN = timedelta(minutes=5)
QUICK = timedelta(hours=1)
"""The longest wait that the quick version runs for real in polling mode."""


def measure(quick: bool) -> Group:
    """Run what can be run, count the rest."""
    runs, differing = _runs(quick)
    day, year = runs["callback", "24 h"], "366 d"
    most = max(runs["callback", year].operations, runs["polling", year].operations)
    died = pattern(WAITS["24 h"]).died_after
    return Group(
        title="Durable operations and invocations per approval",
        figures=[
            Figure(name="invocations, callback, 24 h", measured=day.invocations, limit=15),
            Figure(
                name="durable operations, callback, 24 h",
                measured=day.operations,
                limit=40,
                baseline=runs["bare", "24 h"].operations,
                against="bare engine",
            ),
            Figure(
                name="durable operations, either mode, 366 d",
                measured=most,
                limit=MAX_OPERATIONS - 1,
            ),
            Figure(name="real runs that differ from the model", measured=differing, limit=0),
        ],
        tables=[
            Table(
                title="Operations / invocations, decided after",
                head=("", *WAITS),
                rows=[
                    (name, *(_cell(runs[design, wait]) for wait in WAITS))
                    for design, name in NAMES.items()
                ],
            )
        ],
        charts=[
            Chart(
                file="operations.svg",
                title="Durable operations until decided",
                unit="",
                labels=list(WAITS),
                series={
                    name: [
                        None if runs[design, wait].died_after else runs[design, wait].operations
                        for wait in WAITS
                    ]
                    for design, name in NAMES.items()
                },
            )
        ],
        notes=[
            (
                f"The pattern's loop meets the limit of {number(MAX_OPERATIONS)} operations per "
                f"execution after {died}: longer waits end in an error there, and have no bar."
            )
        ],
    )


NAMES = {
    "callback": "callback",
    "polling": "polling, 5 s",
    "pattern": "pattern's loop",
    "bare": "bare engine",
}


def _runs(quick: bool) -> tuple[dict[tuple[str, str], Usage], int]:
    """The model's counts, and how many real runs say otherwise."""
    counted: dict[tuple[str, str], Usage] = {}
    differing = 0
    for design, model in DESIGNS.items():
        for label, wait in WAITS.items():
            expected = model(wait)
            counted[design, label] = expected
            if _is_run(design, wait, quick):
                run = count(design, wait)
                found = (run.operations, run.invocations)
                differing += found != (expected.operations, expected.invocations)
    return counted, differing


def _is_run(design: str, wait: timedelta, quick: bool) -> bool:
    if design == "pattern":
        return wait <= LONGEST_PATTERN_RUN
    return not quick or wait <= QUICK


def _cell(used: Usage) -> str:
    if used.died_after:
        return f"dies after {used.died_after}"
    return f"{used.operations:,} / {used.invocations:,}"
