"""When a waiting workflow checks by itself: ever less often, and never past the expiry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_approval.domain.schedule import poll_delay, recheck_delay

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("waited", "remaining", "delay"),
    [
        (timedelta(0), HOUR, MINUTE),
        (10 * MINUTE, DAY, 30 * MINUTE),
        (9 * DAY, 20 * DAY, DAY),
        (10 * MINUTE, 5 * MINUTE, 5 * MINUTE),
        (HOUR, -MINUTE, timedelta(0)),
    ],
)
def test_should_check_after_three_times_as_long(
    waited: timedelta, remaining: timedelta, delay: timedelta
) -> None:
    assert recheck_delay(waited, remaining) == delay


@pytest.mark.parametrize(
    ("waited", "remaining", "delay"),
    [
        (timedelta(0), HOUR, 5 * MINUTE),
        (10 * DAY, DAY, 0.05 * DAY),
        (HOUR, MINUTE, MINUTE),
        (HOUR, -MINUTE, timedelta(0)),
    ],
)
def test_should_poll_ever_less_often(
    waited: timedelta, remaining: timedelta, delay: timedelta
) -> None:
    assert poll_delay(5 * MINUTE, waited, remaining) == delay


def test_should_stay_below_the_operations_of_an_execution_for_a_year() -> None:
    waited, polls, year = timedelta(0), 0, timedelta(days=365)
    while waited < year:
        waited += poll_delay(timedelta(seconds=5), waited, year - waited)
        polls += 1
    assert polls < 3_000
