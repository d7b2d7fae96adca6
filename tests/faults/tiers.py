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
from tests.faults.scenarios import Scenario
from tests.faults.simulator import Bounds

CROWDED = {
    "cancel": 0,
    "cancel-polling": 0,
    "opposite": 1,
    "opposite-polling": 1,
    "quorum": 0,
    "together": 1,
    "redelivered": 0,
    "zombie": 1,
    "zombie-polling": 0,
    "poison": 0,
    "skew-ahead": 0,
    "skew-ahead-polling": 0,
    "skew-behind": 0,
    "skew-behind-polling": 0,
}
LIMITED = {"redelivered": 1, "skew-ahead": 1}
PAIRS = {
    "approve": 0,
    "approve-polling": 0,
    "late-approve": 0,
    "timeout": 1,
    "timeout-polling": 1,
    "approve-against-timeout": 0,
    "opposite": 0,
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
    "approve": 261,
    "approve-polling": 123,
    "reject": 261,
    "reject-polling": 123,
    "late-approve": 630,
    "timeout": 55,
    "timeout-polling": 73,
    "cancel": 182,
    "cancel-polling": 139,
    "early": 364,
    "approve-against-timeout": 256,
    "approve-against-timeout-polling": 297,
    "opposite": 1615,
    "opposite-polling": 952,
    "quorum": 153,
    "quorum-polling": 334,
    "together": 247,
    "redelivered": 390,
    "zombie": 800,
    "zombie-polling": 169,
    "poison": 272,
    "skew-ahead": 275,
    "skew-ahead-polling": 201,
    "skew-behind": 198,
    "skew-behind-polling": 178,
    "storm-1": 81,
    "storm-9": 107,
    "storm-10": 111,
    "storm-25": 166,
    "storm-at-start-2": 100,
    "storm-at-start-6": 68,
}
"""Nine tenths of the quick tier's schedules when last counted: fewer means that some are hidden."""
