"""How far each scenario is explored: a quick tier for every test run, and a full one.

Quick (under two minutes on one free core): every order of steps without a fault, everywhere;
every order with any single fault, except in `CROWDED`, where several actors come together: there
any single fault with at most so many preemptions.

Full (under ten minutes on two free cores): every order with any single fault, except in `LIMITED`,
where preemptions are bounded; and in `PAIRS` any two faults, with at most so many preemptions.

Orders that differ only in steps that do not touch each other count once.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.deployment import Deployment
from tests.faults.explore import every
from tests.faults.scenario import Scenario
from tests.faults.simulator import Bounds

CROWDED = {
    "late-approve": 1,
    "reject": 0,
    "reject-polling": 0,
    "cancel": 0,
    "cancel-polling": 0,
    "early": 0,
    "approve-against-timeout-polling": 0,
    "approve-against-silence": 0,
    "opposite": 0,
    "opposite-polling": 0,
    "quorum": 0,
    "quorum-polling": 0,
    "together": 1,
    "two-rejections": 0,
    "redelivered": 0,
    "zombie": 0,
    "zombie-polling": 0,
    "poison": 0,
    "skew-ahead": 0,
    "skew-ahead-polling": 0,
    "skew-behind": 0,
    "skew-behind-polling": 0,
    "broadcast-refused": 0,
    "broadcast-refused-polling": 0,
    "one-refused": 0,
    "one-refused-polling": 0,
    "paused": 0,
    "stopped-polling": 0,
    "stopped-and-decided": 0,
    "stopped-before-decided": 0,
    "swept-early": 0,
    "swept-early-polling": 0,
    "sweep-among": 0,
    "sweep-twice": 0,
    "sweep-at-the-end": 0,
    "sweep-at-the-end-polling": 0,
    "readers": 0,
    "readers-at-the-end": 0,
    "refused": 0,
    "redeployed": 0,
    "redeployed-polling": 0,
}
LIMITED = {
    "cancel": 1,
    "two-rejections": 1,
    "redelivered": 1,
    "zombie-polling": 1,
    "poison": 1,
    "skew-ahead": 1,
    "skew-ahead-polling": 1,
    "skew-behind": 1,
    "skew-behind-polling": 1,
    "broadcast-refused": 1,
    "broadcast-refused-polling": 1,
    "one-refused": 1,
    "one-refused-polling": 1,
    "sweep-twice": 0,
    "sweep-at-the-end": 1,
    "sweep-at-the-end-polling": 1,
    "readers": 1,
    "readers-at-the-end": 1,
    "refused": 1,
}
PAIRS = {
    "approve": 0,
    "approve-polling": 0,
    "late-approve": 0,
    "timeout": 1,
    "timeout-polling": 1,
    "approve-against-timeout": 0,
    "opposite": 0,
    "stopped": 0,
    "swept-early-polling": 0,
}


def quick(scenario: Scenario) -> tuple[Bounds, ...]:
    if (preemptions := CROWDED.get(scenario.name)) is None:
        return (Bounds(faults=1),)
    return (Bounds(), Bounds(faults=1, preemptions=preemptions))


def full(scenario: Scenario) -> tuple[Bounds, ...]:
    single = Bounds(faults=1, preemptions=LIMITED.get(scenario.name))
    calm = () if single.preemptions is None else (Bounds(),)
    if (preemptions := PAIRS.get(scenario.name)) is None:
        return (*calm, single)
    return (*calm, single, Bounds(faults=2, preemptions=preemptions))


def explore(scenario: Scenario, tier: tuple[Bounds, ...]) -> Iterator[Deployment]:
    for bounds in tier:
        yield from every(scenario.run, bounds)


FLOOR = {
    "approve": 292,
    "approve-polling": 138,
    "reject": 74,
    "reject-polling": 66,
    "late-approve": 346,
    "timeout": 62,
    "timeout-polling": 82,
    "cancel": 200,
    "cancel-polling": 153,
    "early": 147,
    "approve-against-timeout": 338,
    "approve-against-timeout-polling": 88,
    "opposite": 200,
    "opposite-polling": 153,
    "quorum": 165,
    "quorum-polling": 91,
    "together": 263,
    "two-rejections": 540,
    "silence-rejects": 62,
    "approve-against-silence": 74,
    "redelivered": 422,
    "zombie": 166,
    "zombie-polling": 183,
    "poison": 287,
    "approved-by-hand": 63,
    "approved-by-hand-polling": 118,
    "skew-ahead": 307,
    "skew-ahead-polling": 230,
    "skew-behind": 212,
    "skew-behind-polling": 194,
    "storm-1": 87,
    "storm-9": 113,
    "storm-10": 117,
    "storm-25": 172,
    "storm-at-start-2": 110,
    "storm-at-start-6": 74,
    "broadcast-refused": 230,
    "broadcast-refused-polling": 227,
    "one-refused": 90,
    "one-refused-polling": 104,
    "read-denied-polling": 99,
    "stopped": 267,
    "stopped-polling": 64,
    "stopped-and-decided": 150,
    "stopped-before-decided": 70,
    "unheard": 159,
    "unreadable": 585,
    "paused": 110,
    "swept-early": 90,
    "swept-early-polling": 82,
    "sweep-among": 113,
    "sweep-among-polling": 100,
    "sweep-twice": 720,
    "sweep-at-the-end": 410,
    "sweep-at-the-end-polling": 137,
    "readers": 405,
    "readers-at-the-end": 414,
    "refused": 214,
    "redeployed": 278,
    "redeployed-polling": 208,
}
"""Nine tenths of the quick tier's schedules when last counted: fewer means that some are hidden."""
