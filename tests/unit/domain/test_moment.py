"""Moments are said in words, in the reader's own time where it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from hitl_approval.domain.moment import in_words, length

FRIDAY = datetime(2026, 1, 2, 11, 4, 5, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1), "CET")


def test_should_say_the_day_the_time_and_how_long_until_then() -> None:
    now = FRIDAY - timedelta(hours=7, minutes=12)
    assert in_words(FRIDAY, now=now) == "Friday 2 January 2026, 11:04 UTC (in 7 hours)"


def test_should_say_it_in_the_readers_zone() -> None:
    late = datetime(2026, 1, 2, 23, 30, tzinfo=UTC)
    assert in_words(late, zone=BERLIN) == "Saturday 3 January 2026, 00:30 CET"


def test_should_not_count_to_what_is_over() -> None:
    assert in_words(FRIDAY, now=FRIDAY) == "Friday 2 January 2026, 11:04 UTC"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "1 minute"),
        (119, "1 minute"),
        (59 * 60, "59 minutes"),
        (3_600, "1 hour"),
        (5_400, "1 hour 30 minutes"),
        (7_199, "1 hour 59 minutes"),
        (7_200, "2 hours"),
        (86_399, "23 hours"),
        (86_400, "1 day"),
        (86_400 + 3_600, "1 day 1 hour"),
        (86_400 + 120, "1 day"),
        (366 * 86_400, "366 days"),
    ],
)
def test_should_never_say_that_there_is_more_time_than_there_is(seconds: int, said: str) -> None:
    assert length(timedelta(seconds=seconds)) == said
