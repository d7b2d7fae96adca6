"""How far each scenario is explored: a quick tier for every test run, and a full one.

Quick (about two minutes on one core): every order of steps without a fault, everywhere; every
order with any single fault, except in `CROWDED`, where several actors come together: there a
single fault with at most `CROWDED` preemptions (with `echo`, which adds an actor, as one of them).
Full (under ten minutes on two cores): every order with any single fault, everywhere, and any two
faults where the space allows, with at most `PAIRS` preemptions.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.deployment import Deployment
from tests.faults.explore import every
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.simulator import Bounds

CROWDED = {
    "cancel": 0,
    "cancel-polling": 0,
    "opposite": 1,
    "opposite-polling": 1,
    "redelivered": 0,
    "zombie": 1,
    "zombie-polling": 0,
    "poison": 0,
    "skew-ahead": 0,
    "skew-ahead-polling": 0,
    "skew-behind": 0,
    "skew-behind-polling": 0,
}
PAIRS: dict[str, int] = {}


def quick(scenario: Scenario) -> tuple[Bounds, ...]:
    if (preemptions := CROWDED.get(scenario.name)) is None:
        return (Bounds(faults=1),)
    return (Bounds(), Bounds(faults=1, preemptions=preemptions))


def full(scenario: Scenario) -> tuple[Bounds, ...]:
    if (preemptions := PAIRS.get(scenario.name)) is None:
        return (Bounds(faults=1),)
    return (Bounds(faults=1), Bounds(faults=2, preemptions=preemptions))


def explore(scenario: Scenario, tier: tuple[Bounds, ...]) -> Iterator[Deployment]:
    for bounds in tier:
        yield from every(scenario.run, bounds)


FLOOR: dict[str, int] = dict.fromkeys(SCENARIOS, 0)
