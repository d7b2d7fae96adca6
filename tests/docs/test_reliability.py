"""`docs/reliability.md` names every promise that is checked, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.faults.invariants import INVARIANTS
from tests.faults.sabotage import CASES
from tests.faults.tiers import LIMITED, PAIRS
from tests.mutants.mutants import MUTANTS

PAGE = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_should_name_every_promise_that_is_checked() -> None:
    named = re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)
    assert named == [check.__name__ for check in INVARIANTS]


def test_should_say_where_it_does_not_look() -> None:
    assert f"in {len(LIMITED)} scenarios (`LIMITED` in " in PAGE
    assert f"pairs of faults in {len(PAIRS)} scenarios" in PAGE
    assert f"{len(CASES)} breakages of our own code" in PAGE


def test_should_say_how_many_mutants_there_are() -> None:
    assert re.findall(r"(\d+) mutants,|(\d+) killed", PAGE) == [
        (str(len(MUTANTS)), ""),
        ("", str(len(MUTANTS))),
    ]
