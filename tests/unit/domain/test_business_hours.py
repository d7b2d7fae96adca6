"""So many hours of which only business hours count."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from hitl_approval.domain.business_hours import (
    BusinessHours,
    Counted,
    business_hours,
    business_hours_of,
    weekdays_of,
)

BERLIN = business_hours(8, "Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-05T09:00+01:00", "2026-01-05T17:00+01:00"),
        ("2026-01-05T12:00+01:00", "2026-01-06T12:00+01:00"),
        ("2026-01-05T03:00+01:00", "2026-01-05T17:00+01:00"),
        ("2026-01-09T16:00+01:00", "2026-01-12T16:00+01:00"),  # over a weekend
        ("2026-01-10T10:00+01:00", "2026-01-12T17:00+01:00"),  # asked on a Saturday
        ("2026-03-27T16:00+01:00", "2026-03-30T16:00+02:00"),  # clocks go forward
        ("2026-10-23T16:00+02:00", "2026-10-26T16:00+01:00"),  # and back
    ],
)
def test_should_count_only_while_it_is_open(start: str, end: str) -> None:
    assert BERLIN.end(at(start)) == at(end)
    assert BERLIN.after(at(start)) == at(end) - at(start)


class Weekly:
    """A container that is no collection, as a library of holidays may have one."""

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and day.weekday() == 0


@pytest.mark.parametrize("holidays", [[date(2026, 1, 12)], {date(2026, 1, 12): "a day"}, Weekly()])
def test_should_count_no_holiday_whatever_knows_it(holidays: Any) -> None:
    hours = business_hours(8, "Europe/Berlin", holidays=holidays)
    assert hours.end(at("2026-01-09T16:00+01:00")) == at("2026-01-13T16:00+01:00")


def test_should_be_open_until_midnight_where_it_closes_then() -> None:
    hours = business_hours(30, "UTC", days="Sat,Sun", opens=time(0), closes=time(0))
    assert hours.end(at("2026-01-09T12:00+00:00")) == at("2026-01-11T06:00+00:00")


def test_should_remind_at_work() -> None:
    """Half of eight hours from Friday at four is on Monday, and not on Sunday at four."""
    asked = at("2026-01-09T16:00+01:00")
    assert [asked + delay for delay in BERLIN.reminders(asked)] == [
        at("2026-01-12T12:00+01:00"),
        at("2026-01-12T15:12+01:00"),
    ]
    assert business_hours(0.5, "UTC").reminders(asked) == ()


def test_should_end_where_it_is_never_open_for_so_long() -> None:
    class Always:
        def __contains__(self, day: object) -> bool:
            return True

    with pytest.raises(ValueError, match=r"^UTC is not open for 8:00:00 within three years"):
        business_hours(8, "UTC", holidays=Always()).end(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("days", "expected"),
    [("Mon-Fri", range(5)), ("Sun-Thu", [6, 0, 1, 2, 3]), ("mon, Wed-fri", [0, 2, 3, 4])],
)
def test_should_read_days_of_the_week(days: str, expected: Any) -> None:
    assert weekdays_of(days) == set(expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hours": 0}, "needs a number of hours above 0, got 0"),
        ({"hours": True}, "needs a number of hours above 0"),
        ({"hours": "8"}, "needs a number of hours above 0"),
        ({"hours": float("nan")}, "needs a number of hours above 0"),
        ({"zone": "Berlin"}, "time zone 'Berlin' is not known here"),
        ({"zone": "../etc/passwd"}, "is not known here"),
        ({"zone": 7}, "time zone 7 is not known here"),
        ({"days": "weekdays"}, "days must be like Mon-Fri"),
        ({"days": ""}, "days must be like Mon-Fri"),
        ({"opens": time(17)}, "must be at least a second, and open before it closes"),
        ({"opens": time(9, tzinfo=UTC)}, "opens must be a time of the day"),
        ({"closes": 17}, "closes must be a time of the day"),
        ({"holidays": "2026-12-25"}, "holidays must be dates, got a string"),
        ({"holidays": 7}, "holidays must be dates, got a number"),
        ({"holidays": [datetime(2026, 12, 25, tzinfo=UTC)]}, "holidays must be dates, date"),
        ({"holidays": ["2026-12-25"]}, "holidays must be dates, date"),
    ],
)
def test_should_refuse_what_are_no_business_hours(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        business_hours(**{"hours": 8, "zone": "UTC", **values})


def test_should_read_what_an_event_brings() -> None:
    values = {"hours": 8, "zone": "UTC", "days": "Sun-Thu", "opens": "08:30", "closes": "12:00"}
    found = business_hours_of({**values, "holidays": ["2026-12-25"]})
    assert found == BusinessHours(
        length=timedelta(hours=8),
        zone="UTC",
        days="Sun-Thu",
        opens=time(8, 30),
        closes=time(12),
        holidays=frozenset({date(2026, 12, 25)}),
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (8, "must be an object, got a number"),
        ({"hours": 8}, "needs zone"),
        ({"hours": 8, "zone": "UTC", "day": "Mon"}, "has no 'day'"),
        ({"hours": 8, "zone": "UTC", "opens": "nine"}, "needs times like 09:00"),
        ({"hours": 8, "zone": "UTC", "opens": 9}, "needs times like 09:00"),
        ({"hours": 8, "zone": "UTC", "holidays": ["Easter"]}, "needs times like 09:00"),
        ({"hours": 8, "zone": "UTC", "holidays": 7}, "needs times like 09:00"),
    ],
)
def test_should_refuse_an_event_that_brings_none(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        business_hours_of(values)


ASKED = at("2026-01-09T16:00:00.123456+01:00")


def test_should_count_once_to_a_whole_millisecond() -> None:
    counted = Counted.of(BERLIN, ASKED)
    assert counted.expires_at == at("2026-01-12T16:00:00.123+01:00")
    assert counted.timeout == timedelta(days=3)
    assert Counted.from_dict(counted.to_dict()) == counted


@pytest.mark.parametrize(
    "garbled",
    [
        {"expires_at": "2026-01-12T16:00:00"},
        {"expires_at": "soon"},
        {"expires_at": None},
        {"timeout_seconds": 0},
        {"timeout_seconds": 10**20},
        {"reminder_seconds": [10**7]},
        {"reminder_seconds": [0]},
        {"reminder_seconds": [1, 2, 3]},
        {"reminder_seconds": None},
    ],
)
def test_should_read_nothing_that_was_not_counted(garbled: dict[str, Any]) -> None:
    values = Counted.of(BERLIN, ASKED).to_dict() | garbled
    with pytest.raises(ValueError, match=r"^must be a time to decide that was counted"):
        Counted.from_dict(values)
