"""Times as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hitl_approval_cli import clock
from hitl_approval_cli.times import local_time, time_left

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(days=3), "3d left"),
        (timedelta(hours=30), "30h left"),
        (timedelta(minutes=2), "2m left"),
        (timedelta(seconds=119), "119s left"),
        (timedelta(0), "expired"),
    ],
)
def test_should_say_how_long_there_is(
    left: timedelta, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert time_left((NOW + left).isoformat()) == said


def test_should_say_nothing_of_no_time() -> None:
    assert local_time(None) == ""
    assert local_time(NOW.isoformat()) == f"{NOW.astimezone():%Y-%m-%d %H:%M:%S}"
