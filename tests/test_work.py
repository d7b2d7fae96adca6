"""What shares a deployment runs in one process, and every file of the list is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.work import ALONE, SLOW, TOGETHER, rank, scope_of

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    "place", [*(place for places in TOGETHER.values() for place in places), *ALONE, *SLOW]
)
def test_should_name_what_is_there(place: str) -> None:
    path = HERE / place
    assert path.is_dir() if place.endswith("/") else path.is_file()


def test_should_keep_together_what_shares_a_deployment() -> None:
    page, browser = "tests/e2e/test_page.py::a", "tests/browser/test_deciding.py::b"
    assert scope_of(page) == scope_of(browser) == "the deployed app"
    assert scope_of("tests/e2e/test_embedded.py::a") == "the wheel"
    assert scope_of("tests/unit/test_settings.py::a") == "tests/unit/test_settings.py"


def test_should_hand_out_one_by_one_what_shares_nothing() -> None:
    first, second = "tests/faults/test_faults.py::a[x]", "tests/faults/test_faults.py::a[y]"
    assert scope_of(first) != scope_of(second)


def test_should_hand_out_the_longest_first() -> None:
    order = [
        "e2e/test_page.py",
        "browser/test_hostile.py",
        "e2e/test_wheel.py",
        "local/test_gaps.py",
        "faults/test_faults.py",
        "unit/test_settings.py",
    ]
    ranks = [rank(f"tests/{file}::a") for file in order]
    assert ranks == sorted(set(ranks))
