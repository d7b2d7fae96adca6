"""The figures of docs/scale.md follow from what the real adapter writes."""

from __future__ import annotations

import pytest

from bench import scale


def test_should_find_what_each_key_takes_of_one_approval() -> None:
    asked, decided, resumed = scale.one_approval().values()
    assert asked == {"StatusIndex pending": 1, "AttentionIndex pending": 1}
    assert decided == {
        "StatusIndex pending": 1,
        "StatusIndex approved": 1,
        "AttentionIndex pending": 1,
        "AttentionIndex decided": 1,
    }
    assert resumed == {"AttentionIndex decided": 1}


@pytest.mark.parametrize(
    ("rate", "spread", "taken", "lag"),
    [(400, 1, 400, 0), (500, 1, 500, 0), (1_000, 1, 500, 3_600), (10_000, 20, 10_000, 0)],
)
def test_should_let_wait_what_the_hottest_key_does_not_take(
    rate: float, spread: int, taken: float, lag: float
) -> None:
    hour = scale.simulate(rate, scale.one_approval(), spread)
    assert (hour.taken, hour.lag) == (taken, lag)
    assert hour.waiting == max(0, rate - 500 * spread) * 3_600


def test_should_count_for_no_more_than_its_bound() -> None:
    entry = scale.one_entry()
    assert 50 < entry < 200
    whole, bounded = scale.counting(100_000_000, entry), scale.counting(100_000, entry)
    assert whole[0] == pytest.approx(1_000 * bounded[0])
    assert bounded[0] < 2
