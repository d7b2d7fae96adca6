"""What the schedules of a scenario have visited: every fault that every call can meet."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.deployment import Deployment
from tests.faults.simulator import Place


@dataclass
class Coverage:
    """Of all schedules of a scenario within one bound."""

    met: set[tuple[Place, str]] = field(default_factory=set)
    """The faults that the calls of schedules without a fault could have met."""
    visited: set[tuple[Place, str]] = field(default_factory=set)
    """Those that a call did meet."""

    def add(self, deployment: Deployment) -> None:
        calm = not deployment.world.faults
        for place, faults, outcome in deployment.world.calls:
            if calm:
                self.met.update((place, fault) for fault in faults)
            if outcome != "ok":
                self.visited.add((place, outcome))

    @property
    def missed(self) -> set[tuple[Place, str]]:
        """What no schedule has tried, and one should have."""
        return self.met - self.visited
