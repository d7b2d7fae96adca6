"""`make scale`: what many approvals a second, and many pending ones, do to DynamoDB's partitions.

One approval goes through the real adapter, and every write of it is kept with the partition key
under which each index has it. From these write units follows how many approvals a second the
hottest key takes; a simulation in steps of ten seconds then lets requests come faster than that,
with DynamoDB's limits of one partition: 1,000 write units and 3,000 read units a second. An index
that cannot follow throttles the table, so that what is not taken waits at the asking step.

Nothing here is measured on AWS. `python -m tests.docs.counts` writes the tables of docs/scale.md.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import patch

import boto3

from bench.calls import CREDENTIALS
from bench.wire import (
    APPROVALS_TABLE,
    AUDIT_TABLE,
    READ_UNIT,
    SCHEMAS,
    WRITE_UNIT,
    Wire,
    item_size,
    shown,
)
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import Table
from hitl_approval.domain.voting import cast_vote
from hitl_approval.testing import FixedClock
from hitl_approval.usecases.sweep import MOST_COUNTED
from hitl_approval_cli.commands import cost
from tests.anything import any_opening, any_request, declared
from tests.faults.dynamodb import Write

WRITES, READS = 1_000, 3_000
"""Units a second of one partition: DynamoDB developer guide, "Burst and adaptive capacity"."""
STEP, HOUR = 10, 3_600
"""Seconds of a step of the simulation, and for how long requests come."""
RATES = (100, 500, 1_000, 10_000)
"""Requests a second."""
STOCKS = (10_000, 1_000_000, 100_000_000)
"""Pending approvals."""
MONTH = 30 * 24 * HOUR
SWEEPS = MONTH // 300
"""In a month, at the default interval."""
SPREAD = 20
"""Deployments among which an application divides its requests, each with tables of its own."""
QUERY_PAGE = 1_000_000
"""Bytes of one answer of a query, DynamoDB's quota."""
PAGE_SECONDS = 0.01
"""Of one page of a query, 1 MB: second-hand, single-digit milliseconds and the transfer."""

Units = Mapping[str, float]
"""Write units by the key that takes them: `StatusIndex pending`, say."""


def one_approval() -> Mapping[str, Units]:
    """Write units of one approval at each of its moments, by the key of each index."""
    return {moment: _units_of(writes) for moment, writes in _one_approval().items()}


def one_entry() -> int:
    """Bytes of a pending approval in the index that is counted."""
    [write] = [one for one in _one_approval()["asked"] if one.table == APPROVALS_TABLE]
    schema = SCHEMAS[APPROVALS_TABLE]
    entry = shown(schema, schema.indexes[Table.ATTENTION_INDEX], write.after)
    return item_size(entry or {})


def _one_approval() -> Mapping[str, Sequence[Write]]:
    """The writes of one approval at each of its moments, by the real adapter."""
    wire, clock = _Keeping(), FixedClock()
    with patch.dict("os.environ", CREDENTIALS):
        database = boto3.client("dynamodb")  # one of its own: the shared one keeps who answers
        wire.put_on(database)
        store = DynamoDbStore(
            client=database, approvals_table=APPROVALS_TABLE, audit_table=AUDIT_TABLE
        )
        request = any_request(
            requester="rita@example.com",
            approvers=["ann@example.com", "bob@example.com"],
            context={"amount": 120, "supplier": "ACME"},
        )
        opening = any_opening(approval_id="0" * 32, request=request, now=clock.now())
        approval = store.create(opening)
        asked = wire.taken()
        clock.advance(timedelta(minutes=30))
        vote = cast_vote(approval, declared("ann@example.com"), "approved", "", now=clock.now())
        assert vote is not None
        store.commit(vote)
        decided = wire.taken()
        store.mark_resumed(approval.approval_id)
        return {"asked": asked, "decided": decided, "resumed": wire.taken()}


class _Keeping(Wire):
    """Keeps every write, where the other forgets those of the call before."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Write] = []
        self.db.watch = self.kept.append

    def taken(self) -> list[Write]:
        taken = list(self.kept)
        self.kept.clear()
        return taken


def _units_of(writes: Sequence[Write]) -> Units:
    units: dict[str, float] = defaultdict(float)
    for write in writes:
        for key, count in _by_key(write):
            units[key] += count
    return units


def _by_key(write: Write) -> Iterator[tuple[str, float]]:
    """The write units that a write takes from each key of each index."""
    schema = SCHEMAS[write.table]
    for name, index in schema.indexes.items():
        before, after = shown(schema, index, write.before), shown(schema, index, write.after)
        if before == after:
            continue
        if before and after and all(before[key] == after[key] for key in index.names):
            larger = max(before, after, key=item_size)
            yield f"{name} {_partition(index.names, after)}", _units(larger)
            continue
        for entry in filter(None, (before, after)):
            yield f"{name} {_partition(index.names, entry)}", _units(entry)


def _partition(names: tuple[str, ...], entry: Mapping[str, Mapping[str, str]]) -> str:
    return next(iter(entry[names[0]].values()))


def _units(entry: Mapping[str, Mapping[str, str]]) -> float:
    return -(-item_size(entry) // WRITE_UNIT)


@dataclass(frozen=True, slots=True)
class Hour:
    """What became of an hour in which requests came at a rate.

    Attributes:
        taken: requests a second that were taken at its end.
        hottest: the key that limits, with its write units a second.
        units: those.
        waiting: requests that wait to be taken at its end.
        lag: seconds until what came last is taken.
    """

    taken: float
    hottest: str
    units: float
    waiting: float
    lag: float


def simulate(rate: float, per_approval: Mapping[str, Units], spread: int = 1) -> Hour:
    """Let requests come for an hour; each is decided and resumed as fast as they are taken.

    Args:
        rate: requests a second.
        per_approval: as `one_approval` says.
        spread: over how many keys each key of an index is spread.
    """
    whole: dict[str, float] = defaultdict(float)
    for moment in per_approval.values():
        for key, units in moment.items():
            whole[key] += units / spread
    hottest = max(whole, key=lambda key: whole[key])
    limit = WRITES / whole[hottest]
    waiting = taken = 0.0
    for _ in range(0, HOUR, STEP):
        waiting += rate * STEP
        now = min(waiting, limit * STEP)
        waiting -= now
        taken = now / STEP
    return Hour(taken, hottest, taken * whole[hottest], waiting, waiting / limit)


def counting(stock: int, entry: int) -> tuple[float, float]:
    """Dollars a month, and seconds of each sweep, of counting so many entries of so many bytes."""
    units = stock * entry / READ_UNIT / 2  # eventually consistent
    seconds = max(stock * entry / QUERY_PAGE * PAGE_SECONDS, units / READS)
    return cost.total({"dynamodb_read_unit": units * SWEEPS}), seconds


def rates() -> str:
    """The table of `docs/scale.md`: requests a second, by one key of an index and by several."""
    per_approval = one_approval()
    rows = []
    for rate in RATES:
        one, spread = simulate(rate, per_approval), simulate(rate, per_approval, SPREAD)
        month = rate * MONTH * cost.total(cost.callback_quantities(timedelta(days=1)))
        rows.append(
            f"| {rate:,} | {one.taken:,.0f} | {one.units:,.0f} | {_time(one.lag)} "
            f"| {spread.units:,.0f} | {_time(spread.lag)} | ${month:,.0f} |\n"
        )
    head = (
        f"| requests a second | taken a second | `{one.hottest}`, write units a second "
        f"| waiting after an hour | the same of {SPREAD} deployments, each | waiting | a month |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return f"\n\n{head}{''.join(rows)}\n"


def stocks() -> str:
    """The table of `docs/scale.md`: pending approvals, counted whole and as the sweep counts."""
    entry = one_entry()
    rows = []
    for stock in STOCKS:
        whole, bounded = counting(stock, entry), counting(min(stock, MOST_COUNTED), entry)
        rows.append(
            f"| {stock:,} | ${whole[0]:,.2f}, {_time(whole[1])} "
            f"| ${bounded[0]:,.2f}, {_time(bounded[1])} |\n"
        )
    head = (
        "| pending approvals | counted whole: a month, a sweep | as a sweep counts |\n"
        "|---|---|---|\n"
    )
    return f"\n\n{head}{''.join(rows)}\n"


def most() -> str:
    """How many requests a second one deployment takes, and how many at once."""
    taken = simulate(max(RATES), one_approval()).taken
    return f"{taken:,.0f} requests a second"


def _time(seconds: float) -> str:
    for size, unit in ((HOUR, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1000:.0f} ms" if seconds else "none"


def main() -> None:
    """Print what an approval writes, and both tables."""
    for moment, units in one_approval().items():
        sys.stdout.write(f"{moment}: {json.dumps(units)}\n")
    sys.stdout.write(rates() + stocks())


if __name__ == "__main__":
    main()
