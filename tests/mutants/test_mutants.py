"""The list of mutants is well made.

Whether each edit still applies is the first thing that `make mutants` checks, not this: a test
must not fail because a local variable of the source has another name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.invariants import INVARIANTS
from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_should_break_a_promise_that_a_test_holds(mutant: Mutant) -> None:
    assert mutant.new != mutant.old
    assert mutant.breaks in {check.__name__ for check in INVARIANTS}
    assert (ROOT / mutant.file).is_file()
    assert mutant.tests
    assert all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests)


def test_should_have_an_id_each() -> None:
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)
