"""Business hours across changes of the clocks: exactly as many, always while it is open."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hitl_approval.domain.business_hours import (
    WEEK,
    BusinessHours,
    business_hours,
    weekdays_of,
)

ZONES = st.sampled_from([
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
    "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "UTC",
])  # fmt: skip
"""With changes of an hour and of half an hour, at midnight, and a day that was left out."""
QUARTERS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
DAYS = st.sets(st.sampled_from(WEEK), min_size=1).map(lambda days: ",".join(sorted(days)))
STARTS = st.one_of(
    st.datetimes(datetime.fromisoformat("2010-01-01"), datetime.fromisoformat("2030-01-01")),
    # Nights in which clocks change, where all of them are.
    st.builds(
        lambda day, minutes: datetime.combine(day, time(0)) + timedelta(minutes=minutes),
        st.sampled_from([
            date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1),
            date(2026, 4, 5), date(2026, 10, 4), date(2011, 12, 30), date(2018, 11, 4),
        ]),
        st.integers(-2 * 1_440, 1_440),
    ),
)  # fmt: skip
COUNTED = st.integers(1, 60 * 30).map(lambda minutes: minutes / 60)


@st.composite
def places(draw: st.DrawFn) -> BusinessHours:
    opens, closes = draw(QUARTERS), draw(QUARTERS)
    assume(opens < closes or closes == time(0))
    holidays = draw(st.sets(st.dates(date(2026, 3, 1), date(2026, 4, 30)), max_size=5))
    return business_hours(
        draw(COUNTED), draw(ZONES), days=draw(DAYS), opens=opens, closes=closes, holidays=holidays
    )


def is_open(place: BusinessHours, moment: datetime) -> bool:
    """Whether the clocks of the place say that it is open: written again, minute by minute."""
    local = moment.astimezone(ZoneInfo(place.zone))
    until = place.closes if place.closes != time(0) else time.max
    return (
        local.weekday() in weekdays_of(place.days)
        and local.date() not in place.holidays
        and place.opens <= local.time() < until
    )


def open_minutes(place: BusinessHours, start: datetime, end: datetime) -> int:
    minutes = int((end - start) / timedelta(minutes=1))
    return sum(is_open(place, start + timedelta(minutes=each)) for each in range(minutes))


def shown_twice(place: BusinessHours, start: datetime, end: datetime) -> bool:
    """Whether clocks that go back show the opening or the closing time of a day twice."""
    zone = ZoneInfo(place.zone)
    first = start.astimezone(zone).date() - timedelta(days=1)
    for number in range((end - start).days + 4):
        for at in (place.opens, place.closes):
            local = datetime.combine(first + timedelta(days=number), at, zone)
            once, again = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            if once < again:
                return True
    return False


@settings(deadline=None)  # no time is asserted
@given(places(), STARTS)
def test_should_count_exactly_the_open_hours_and_end_in_them(
    place: BusinessHours, naive: datetime
) -> None:
    start = naive.replace(tzinfo=UTC, second=0, microsecond=0)
    end = place.end(start)
    assert end > start
    assume(end - start < timedelta(days=60))
    counted, wanted = open_minutes(place, start, end), place.length / timedelta(minutes=1)
    if shown_twice(place, start, end):
        # Between the two moments at which clocks show the closing time it stays open.
        assert wanted - 60 <= counted <= wanted
    else:
        assert counted == wanted
        assert is_open(place, end - timedelta(seconds=1))


@settings(deadline=None)
@given(places(), STARTS, COUNTED)
def test_should_end_no_earlier_for_more_hours_or_a_later_start(
    place: BusinessHours, naive: datetime, more: float
) -> None:
    start = naive.replace(tzinfo=UTC)
    longer = business_hours(
        place.length / timedelta(hours=1) + more,
        place.zone,
        days=place.days,
        opens=place.opens,
        closes=place.closes,
        holidays=place.holidays,
    )
    assert longer.end(start) > place.end(start)
    assert place.end(start + timedelta(hours=more)) >= place.end(start)


@settings(deadline=None)
@given(places(), STARTS)
def test_should_count_the_same_wherever_the_start_is_written(
    place: BusinessHours, naive: datetime
) -> None:
    start = naive.replace(tzinfo=UTC)
    assert place.end(start.astimezone(ZoneInfo("Asia/Tokyo"))) == place.end(start)
