"""Runs schedules: all of them, depth first; one, from its list of choices; random ones, by seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.faults.deployment import Deployment
from tests.faults.simulator import Bounds, Chooser, Nondeterminism

Run = Callable[[Chooser, Bounds], Deployment]
"""Runs one schedule of a scenario."""


@dataclass
class _Prefix:
    """Follows a list of choices, then stays calm; remembers how many options there were."""

    choices: list[int]
    options: list[int] = field(default_factory=list)
    expected: Sequence[int] = ()

    def choose(self, _: int, options: Sequence[str]) -> int:
        depth = len(self.options)
        if depth < len(self.expected) and self.expected[depth] != len(options):
            raise Nondeterminism(f"{self.expected[depth]} options became {options}")
        self.options.append(len(options))
        if depth == len(self.choices):
            self.choices.append(0)
        return self.choices[depth]


@dataclass
class _Named:
    """Follows choices by the number of the decision and the name of the option."""

    choices: dict[int, str]

    def choose(self, number: int, options: Sequence[str]) -> int:
        wanted = self.choices.get(number, options[0])
        if wanted not in options:
            raise Nondeterminism(f"decision {number} is among {options}, not {wanted!r}")
        return options.index(wanted)


@dataclass
class _Random:
    """Draws: mostly calm, sometimes not."""

    lots: random.Random

    def choose(self, _: int, options: Sequence[str]) -> int:
        if self.lots.random() < 0.7:
            return 0
        return self.lots.randrange(len(options))


def every(run: Run, bounds: Bounds) -> Iterator[Deployment]:
    """Every schedule within the bounds, as it was left; equal ones once."""
    prefix = _Prefix([])
    while True:
        deployment = run(prefix, bounds)
        if not deployment.world.pruned:
            yield deployment
        choices, options = prefix.choices[: len(prefix.options)], prefix.options
        while choices and choices[-1] + 1 == options[len(choices) - 1]:
            choices.pop()
        if not choices:
            return
        choices[-1] += 1
        prefix = _Prefix(choices, expected=options[: len(choices)])


def replay(run: Run, choices: str) -> Deployment:
    """The one schedule that these choices describe, as `World.trail` printed them."""
    named: dict[int, str] = {}
    for choice in filter(None, choices.split(",")):
        match = re.fullmatch(r"(\d+)=([\w-]+)", choice)
        if match is None:
            msg = f"choices must be like 3=lost,7=bob, got {choice!r}"
            raise ValueError(msg)
        named[int(match[1])] = match[2]
    return run(_Named(named), Bounds(faults=1_000, reduce=False))


def randomly(run: Run, seed: int, faults: int) -> Deployment:
    """One random schedule."""
    lots = random.Random(seed)
    return run(_Random(lots), Bounds(faults=faults, reduce=False))
