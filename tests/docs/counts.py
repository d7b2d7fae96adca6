"""The numbers in the docs, written by `make docs` from the code that they are about.

A number stands in a marked place, `<!-- count: NAME -->80<!-- /count -->`, which no reader sees. No
line begins with one, because Markdown would show that whole line as it is; a table is marked by a
pair of lines of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from bench import scale
from hitl_approval.contract import MAX_OPERATIONS, METRICS, Metrics
from hitl_approval.domain.escalation import SWEEP_GRACE
from hitl_approval.domain.link import CHALLENGE_CHARACTERS
from hitl_approval.domain.rows import PART
from hitl_approval.domain.schedule import most_operations
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_LIMIT
from hitl_approval.usecases.decide import SEARCHED
from hitl_approval_cdk import ApprovalPage
from hitl_approval_cli.commands.cost import (
    ALARM_METRICS,
    CUSTOM_METRICS,
    callback_quantities,
    messenger_quantities,
    monitoring_quantities,
    polling_quantities,
    standing_quantities,
    total,
    with_messages,
)
from hitl_approval_cli.cost_model import DEFAULT_POLL, LONGEST_TIMEOUT, callback
from tests.docs.site import ROOT, pages
from tests.faults.invariants import INVARIANTS
from tests.faults.messaging import FED, MESSENGER
from tests.faults.sabotage import CASES
from tests.faults.scenarios import SCENARIOS
from tests.faults.tally import explored
from tests.faults.tiers import LIMITED, PAIRS
from tests.mutants.mutants import MUTANTS

PLACE = re.compile(r"<!-- count: ([a-z-]+) -->(.*?)<!-- /count -->", re.DOTALL)
WAITS = {
    "1 minute": timedelta(minutes=1),
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "7 days": timedelta(days=7),
}
DAY = timedelta(days=1)


def prices() -> str:
    """The table of `docs/costs.md`, with the blank lines around it."""
    rows = (
        f"| {wait} | ${total(callback_quantities(waited)):.6f} "
        f"| ${total(polling_quantities(waited)):.6f} |\n"
        for wait, waited in WAITS.items()
    )
    head = '| decided after | `resume="callback"` | `resume="polling"` |\n|---|---|---|\n'
    return f"\n\n{head}{''.join(rows)}\n"


def fitting() -> str:
    """How many approvals may be open at once in one execution, by their time to decide."""
    room = MAX_OPERATIONS - 1  # the execution is one
    rows = (
        f"| {wait} | {room // most_operations(timeout, None)} "
        f"| {room // most_operations(timeout, DEFAULT_POLL)} |\n"
        for wait, timeout in (WAITS | {"366 days": LONGEST_TIMEOUT}).items()
    )
    head = '| time to decide | `resume="callback"` | `resume="polling"` |\n|---|---|---|\n'
    return f"\n\n{head}{''.join(rows)}\n"


COUNTS: Mapping[str, Callable[[], str]] = {
    "promises": lambda: f"{len(INVARIANTS)}",
    "scenarios": lambda: f"{len(SCENARIOS)}",
    "quick-schedules": lambda: f"{explored()['quick']:,}",
    "full-schedules": lambda: f"{explored()['full']:,}",
    "limited-scenarios": lambda: f"{len(LIMITED)}",
    "scenarios-with-pairs": lambda: f"{len(PAIRS)}",
    "scenarios-without-grace": lambda: f"{sum(s.grace != SWEEP_GRACE for s in SCENARIOS.values())}",
    "messenger-scenarios": lambda: f"{len(MESSENGER)}",
    "fed-scenarios": lambda: f"{len(FED)}",
    "sabotages": lambda: f"{len(CASES)}",
    "mutants": lambda: f"{len(MUTANTS)}",
    "prices": prices,
    "approvals-that-fit": fitting,
    "operations-in-a-day": lambda: f"{callback(DAY).operations}",
    "invocations-in-a-day": lambda: f"{callback(DAY).invocations}",
    "price-of-a-day": lambda: f"{total(callback_quantities(DAY)):.4f}",
    "price-of-a-day-with-messages": lambda: (
        f"{total(with_messages(callback_quantities(DAY), 2)):.5f}"
    ),
    "messenger-price": lambda: f"{total(messenger_quantities()):.2f}",
    "standing-price": lambda: f"{total(standing_quantities()):.2f}",
    "monitoring-price": lambda: f"{total(monitoring_quantities()):.2f}",
    "custom-metrics": lambda: f"{CUSTOM_METRICS}",
    "detailed-metrics": lambda: f"{CUSTOM_METRICS - len(METRICS) + len(Metrics.DETAILED)}",
    "alarm-metrics": lambda: f"{ALARM_METRICS}",
    "requests-per-second": lambda: f"{ApprovalPage().requests_per_second}",
    "requests-at-once": lambda: f"{ApprovalPage().burst}",
    "characters-of-a-part": lambda: f"{PART:,}",
    "characters-of-a-challenge": lambda: f"{CHALLENGE_CHARACTERS}",
    "approvals-of-a-page": lambda: f"{DEFAULT_LIMIT}",
    "approvals-of-the-longest-page": lambda: f"{MAX_LIMIT}",
    "records-of-a-search": lambda: f"{SEARCHED:,}",
    "scale-rates": scale.rates,
    "scale-stocks": scale.stocks,
    "scale-most": scale.most,
}
"""Name of a place -> what stands there."""


def places(page: Path) -> list[str]:
    """The names of a page's places."""
    return [name for name, _ in PLACE.findall((ROOT / page).read_text(encoding="utf-8"))]


def counted(text: str) -> str:
    """A page with every number as it is today.

    Raises:
        KeyError: a place has a name that is not among `COUNTS`.
    """
    return PLACE.sub(lambda m: f"<!-- count: {m[1]} -->{COUNTS[m[1]]()}<!-- /count -->", text)


def write() -> None:
    """Write the numbers of every page."""
    for page in pages():
        text = (ROOT / page).read_text(encoding="utf-8")
        (ROOT / page).write_text(counted(text), encoding="utf-8")


if __name__ == "__main__":
    write()
