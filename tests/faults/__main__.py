"""The full tier, one schedule again, or random ones for as long as you like.

A tier that was explored whole is noted in `explored.json`, from which `make docs` writes.

python -m tests.faults                                  the full tier; exit 1 on a violation
python -m tests.faults --scenario NAME                  one of it; `pattern`: the public one's three
python -m tests.faults --tier quick                     the quick tier, which `make test-all` explores
python -m tests.faults --replay SCENARIO:CHOICES        one schedule, step by step
python -m tests.faults --deep SECONDS [--seed N]        random schedules with up to 5 faults
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence

from tests.faults.explore import randomly, replay
from tests.faults.invariants import violations
from tests.faults.pattern_rebuild import PATTERN
from tests.faults.scenarios import SCENARIOS
from tests.faults.seams import simulated
from tests.faults.simulator import Nondeterminism
from tests.faults.tally import ALL, TIERS, Tally, bounds_of, explore, note
from tests.faults.tiers import CROWDED, LIMITED, PAIRS

DEEP_FAULTS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--replay", metavar="SCENARIO:CHOICES")
    parser.add_argument("--deep", type=float, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tier", choices=sorted(TIERS), default="full")
    parser.add_argument("--scenario", choices=sorted({*ALL, "pattern"}))
    chosen = parser.parse_args(arguments)
    names = [chosen.scenario] if chosen.scenario else list(SCENARIOS)
    if names == ["pattern"]:
        names = list(PATTERN)
    if chosen.replay:
        return _replay(chosen.replay)
    if chosen.deep:
        return _deep(names, chosen.deep, chosen.seed)
    return _tier(chosen.tier, names)


def _replay(which: str) -> int:
    name, _, choices = which.partition(":")
    if name not in ALL:
        return _say(f"no scenario {name!r}: one of {', '.join(ALL)}") or 2
    with simulated():
        try:
            deployment = replay(ALL[name].run, choices)
        except (Nondeterminism, ValueError) as error:
            return _say(f"cannot be replayed: {error}") or 2
    broken = violations(deployment)
    _say("\n".join([*deployment.world.steps, "", *(broken or ["every promise was kept"])]))
    return 1 if broken else 0


def _tier(tier: str, names: Sequence[str]) -> int:
    """One tier, scenario by scenario, on all cores."""
    tasks = [(tier, name, n) for name in names for n in range(len(bounds_of(tier, name)))]
    tasks.sort(  # longest first
        key=lambda task: (task[1] not in LIMITED, task[1] not in CROWDED, task[1] not in PAIRS)
    )
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        tallies = []
        for tally in pool.imap_unordered(explore, tasks):
            tallies.append(tally)
            _say(f"  {tally.scenario}, {tally.bound}: {tally.schedules} in {tally.seconds:.0f} s")
            _show_examples(tally)  # at once: a run that is stopped has said them
    order = list(ALL)
    tallies.sort(key=lambda tally: (order.index(tally.scenario), tally.bound))
    failed = _report(tallies, time.monotonic() - started)
    if not failed and names == list(SCENARIOS):
        note(tier, sum(tally.schedules for tally in tallies))
    return failed


def _deep(names: Sequence[str], seconds: float, seed: int) -> int:
    started = time.monotonic()
    tallies = {name: Tally(name, f"up to {DEEP_FAULTS} faults") for name in names}
    with simulated():
        for number in _until(started + seconds):
            name = names[number % len(names)]
            deployment = randomly(ALL[name].run, seed + number, DEEP_FAULTS)
            choices = ",".join(deployment.world.trail)
            tallies[name].add(deployment, f"make faults REPLAY={name}:{choices}")
    for tally in tallies.values():
        _show_examples(tally)
    return _report(list(tallies.values()), time.monotonic() - started)


def _until(deadline: float) -> Iterator[int]:
    return itertools.takewhile(lambda _: time.monotonic() < deadline, itertools.count())


def _show_examples(tally: Tally) -> None:
    for example in tally.examples:
        _say(f"\n{example}")


def _report(tallies: Sequence[Tally], seconds: float) -> int:
    _say(f"\n{'scenario':34}{'bound':26}{'schedules':>10}{'violating':>11}")
    for tally in tallies:
        kinds = f"  {dict(tally.kinds)}" if tally.kinds else ""
        _say(
            f"{tally.scenario:34}{tally.bound:26}{tally.schedules:>10,}{tally.violating:>11,}{kinds}"
        )
    schedules = sum(tally.schedules for tally in tallies)
    violating = sum(tally.violating for tally in tallies)
    _say(f"{'':34}{'':26}{schedules:>10,}{violating:>11,}")
    _say(f"{schedules:,} schedules in {seconds:.0f} s, {violating:,} with violations")
    return 1 if violating else 0


def _say(line: str) -> int:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
