"""Explores a scenario within a bound and counts what became of it."""

from __future__ import annotations

import gc
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.deployment import Deployment
from tests.faults.explore import every
from tests.faults.invariants import violations
from tests.faults.pattern_rebuild import PATTERN
from tests.faults.scenarios import SCENARIOS
from tests.faults.seams import simulated
from tests.faults.simulator import Bounds
from tests.faults.tiers import full, quick

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


Task = tuple[str, str, int]
"""A tier, a scenario of it, and which of its bounds."""
TIERS = {"quick": quick, "full": full}
EXPLORED = Path(__file__).with_name("explored.json")
"""Schedules of each tier when it was last explored whole; `make docs` takes its numbers from it."""


def bounds_of(tier: str, name: str) -> tuple[Bounds, ...]:
    """The bounds of a scenario in a tier, one after the other."""
    return TIERS[tier](SCENARIOS[name]) if name in SCENARIOS else (Bounds(faults=1),)


def explored() -> dict[str, int]:
    """Tier -> schedules, when it was last explored whole."""
    found: dict[str, int] = json.loads(EXPLORED.read_text(encoding="utf-8"))
    return found


def note(tier: str, schedules: int) -> None:
    """A tier was explored whole."""
    counts = explored() | {tier: schedules}
    EXPLORED.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


def explore(task: Task) -> Tally:
    """Explore one scenario within one of its bounds; a task for another process."""
    tier, name, index = task
    bounds = bounds_of(tier, name)[index]
    orders = "all orders" if bounds.preemptions is None else f"{bounds.preemptions} preemptions"
    tally = Tally(name, f"{bounds.faults} faults, {orders}")
    started = time.monotonic()
    gc.freeze()  # what is imported stays: a collection need not visit it
    with simulated():
        for deployment in every(ALL[name].run, bounds):
            choices = ",".join(deployment.world.trail)
            tally.add(deployment, f"make faults REPLAY={name}:{choices}")
    tally.seconds = time.monotonic() - started
    return tally
