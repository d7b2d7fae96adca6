"""The list of mutants fits the source. `make mutants` runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.invariants import INVARIANTS
from tests.mutants.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_should_still_apply(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text(encoding="utf-8")

    assert source.count(mutant.old) == 1
    compile(source.replace(mutant.old, mutant.new), mutant.file, "exec")
    assert mutant.new != mutant.old
    assert mutant.breaks in {check.__name__ for check in INVARIANTS}
    assert mutant.tests
    assert all((ROOT / test.partition("::")[0]).is_file() for test in mutant.tests)


def test_should_have_an_id_each() -> None:
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)
