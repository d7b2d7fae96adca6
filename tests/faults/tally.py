"""Explores a scenario within a bound and counts what became of it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.deployment import Deployment
from tests.faults.explore import every
from tests.faults.invariants import violations
from tests.faults.pattern_rebuild import PATTERN
from tests.faults.scenarios import SCENARIOS
from tests.faults.seams import simulated
from tests.faults.simulator import Bounds
from tests.faults.tiers import full

ALL = {**SCENARIOS, **PATTERN}
SHOWN = 3
"""Violating schedules that are printed for each scenario; all are counted."""


@dataclass
class Tally:
    """What became of one scenario within one bound."""

    scenario: str
    bound: str
    schedules: int = 0
    violating: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, deployment: Deployment, label: str) -> None:
        self.schedules += 1
        if not (broken := violations(deployment)):
            return
        self.violating += 1
        self.kinds.update({line.partition(":")[0] for line in broken})
        if len(self.examples) < SHOWN:
            self.examples.append("\n    ".join([label, *broken]))


def bounds_of(name: str) -> tuple[Bounds, ...]:
    """The bounds of a scenario in the full tier, one after the other."""
    return full(SCENARIOS[name]) if name in SCENARIOS else (Bounds(faults=1),)


def explore(task: tuple[str, int]) -> Tally:
    """Explore one scenario within one of its bounds; a task for another process."""
    name, index = task
    bounds = bounds_of(name)[index]
    orders = "all orders" if bounds.preemptions is None else f"{bounds.preemptions} preemptions"
    tally = Tally(name, f"{bounds.faults} faults, {orders}")
    started = time.monotonic()
    with simulated():
        for deployment in every(ALL[name].run, bounds):
            choices = ",".join(deployment.world.trail)
            tally.add(deployment, f"make faults REPLAY={name}:{choices}")
    tally.seconds = time.monotonic() - started
    return tally
