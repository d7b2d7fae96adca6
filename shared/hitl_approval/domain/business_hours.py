"""Time to decide in hours that somebody is at work, counted when a request is made."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hitl_approval.domain.text import cut, kind, shown

MAX_DAYS: Final = 3 * 366
"""Days that are searched for open hours: three times what a durable execution lasts."""
REMIND_AT: Final = (0.5, 0.9)
"""When who has not answered is reminded by default, as parts of the open hours."""
REMINDED_FROM: Final = timedelta(hours=1)
"""Fewest open hours of a request that reminds by default."""
WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_NOT_COUNTED: Final = "must be a time to decide that was counted"
_MIDNIGHT: Final = time(0)
_KEYS: Final = ("hours", "zone", "days", "opens", "closes", "holidays")


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """So many hours, of which only those count in which a place is open. See `business_hours`."""

    length: timedelta
    zone: str
    days: str
    opens: time
    closes: time
    holidays: Container[date]

    def end(self, start: datetime) -> datetime:
        """When the hours are over that begin to count at this time, in UTC.

        Args:
            start: with its time zone.

        Raises:
            ValueError: the place is not open for so long in three years.
        """
        start = start.astimezone(UTC)
        zone, open_on, left = zone_of(self.zone), weekdays_of(self.days), self.length
        first = start.astimezone(zone).date() - timedelta(days=1)
        for day in (first + timedelta(days=number) for number in range(MAX_DAYS)):
            if day.weekday() not in open_on or day in self.holidays:
                continue
            opens, closes = self._open(day, zone)
            begins = max(opens, start)
            if begins >= closes:
                continue
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        msg = f"{self.zone} is not open for {self.length} within three years"
        raise ValueError(msg)

    def after(self, start: datetime, part: float = 1) -> timedelta:
        """How long after this time so much of the hours is over: at least 1 second, whole ones.

        Args:
            start: with its time zone.
            part: of the hours. Default: all.

        Raises:
            ValueError: as `end` raises it.
        """
        seconds = max(1, int(self.length.total_seconds() * part))
        some = BusinessHours(
            length=timedelta(seconds=seconds),
            zone=self.zone,
            days=self.days,
            opens=self.opens,
            closes=self.closes,
            holidays=self.holidays,
        )
        elapsed = some.end(start) - start.astimezone(UTC)
        return timedelta(seconds=max(1, -(-elapsed // timedelta(seconds=1))))

    def reminders(self, start: datetime) -> tuple[timedelta, ...]:
        """After how long who has not answered is reminded by default: at work, and not at night."""
        if self.length < REMINDED_FROM:
            return ()
        return tuple(self.after(start, part) for part in REMIND_AT)

    def _open(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until when the place is open on a day, in UTC."""
        until = day if self.closes != _MIDNIGHT else day + timedelta(days=1)
        return _moment(day, self.opens, zone, last=0), _moment(until, self.closes, zone, last=1)


@dataclass(frozen=True, slots=True)
class Counted:
    """A time to decide as it was counted when the request was made, and never again.

    Attributes:
        expires_at: when it is over, in whole milliseconds.
        timeout: how long that was then, whole seconds, rounded up.
        reminders: after how long who has not answered is reminded by default.
    """

    expires_at: datetime
    timeout: timedelta
    reminders: tuple[timedelta, ...]

    @classmethod
    def of(cls, hours: BusinessHours, now: datetime) -> Counted:
        """Count hours from this time on.

        Raises:
            ValueError: as `BusinessHours.end` raises it.
        """
        now = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
        return cls(hours.end(now), hours.after(now), hours.reminders(now))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values, for a durable step and for the request function."""
        return {
            "expires_at": self.expires_at.isoformat(),
            "timeout_seconds": int(self.timeout.total_seconds()),
            "reminder_seconds": [int(delay.total_seconds()) for delay in self.reminders],
        }

    @classmethod
    def from_dict(cls, values: Any) -> Counted:
        """Read back what `to_dict` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            expires_at = datetime.fromisoformat(values["expires_at"])
            timeout = timedelta(seconds=values["timeout_seconds"])
            reminders = [timedelta(seconds=each) for each in values["reminder_seconds"]]
        except (KeyError, OverflowError, TypeError, ValueError):
            raise ValueError(_NOT_COUNTED) from None
        second = timedelta(seconds=1)
        fits = timeout >= second and all(second <= delay < timeout for delay in reminders)
        if expires_at.tzinfo is None or not fits or len(reminders) > len(REMIND_AT):
            raise ValueError(_NOT_COUNTED)
        return cls(expires_at, timeout, tuple(reminders))


def business_hours(
    hours: float,
    zone: str,
    *,
    days: str = "Mon-Fri",
    opens: time = time(9),
    closes: time = time(17),
    holidays: Container[date] = (),
) -> BusinessHours:
    """So many hours to decide, of which only business hours count.

    Args:
        hours: how many; 1.5 is an hour and a half.
        zone: the place's time zone, `Europe/Berlin`.
        days: when it is open: `Mon-Fri`, `Sun-Thu`, `Mon,Wed-Fri`.
        opens: from this time of the day.
        closes: until this one; `time(0)` is midnight at the end of the day.
        holidays: dates on which it is not: a list, or anything that answers `day in holidays`.

    Raises:
        ValueError: one of them is something else, or the zone is not known here.
    """
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours < 10_000:  # noqa: PLR2004  more than a year
        msg = f"business_hours needs a number of hours above 0, got {shown(hours)}"
        raise ValueError(msg)
    length = timedelta(seconds=round(hours * 3_600))
    for name, value in (("opens", opens), ("closes", closes)):
        if not isinstance(value, time) or value.tzinfo is not None:
            msg = f"business_hours: {name} must be a time of the day, time(9) say"
            raise ValueError(msg)
    if length < timedelta(seconds=1) or (opens >= closes and closes != _MIDNIGHT):
        msg = "business_hours must be at least a second, and open before it closes, on one day"
        raise ValueError(msg)
    if isinstance(holidays, str) or not hasattr(holidays, "__contains__"):
        msg = f"business_hours: holidays must be dates, got {kind(holidays)}"
        raise ValueError(msg)
    if isinstance(holidays, list | tuple | set | frozenset):
        for day in holidays:
            if not isinstance(day, date) or isinstance(day, datetime):
                msg = f"business_hours: holidays must be dates, date(2026, 12, 25) say, got {day!r}"
                raise ValueError(msg)  # noqa: TRY004  one kind of error
    weekdays_of(days)
    zone_of(zone)
    return BusinessHours(
        length=length, zone=zone, days=days, opens=opens, closes=closes, holidays=holidays
    )


def business_hours_of(values: Any) -> BusinessHours:
    """Business hours as an event brings them.

    Raises:
        ValueError: something else.
    """
    if not isinstance(values, Mapping):
        msg = f"must be an object, got {kind(values)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    unknown = [name for name in values if name not in _KEYS]
    missing = [name for name in ("hours", "zone") if name not in values]
    if unknown or missing:
        wrong = f"has no {shown(unknown[0])}" if unknown else f"needs {missing[0]}"
        msg = f"{wrong} ({', '.join(_KEYS)})"
        raise ValueError(msg)
    given = dict(values)
    try:
        for name in ("opens", "closes"):
            if name in given:
                given[name] = time.fromisoformat(given[name])
        if "holidays" in given:
            given["holidays"] = frozenset(map(date.fromisoformat, given["holidays"]))
    except (TypeError, ValueError):
        msg = "needs times like 09:00, and holidays in a list of dates like 2026-12-25"
        raise ValueError(msg) from None
    return business_hours(given.pop("hours"), given.pop("zone"), **given)


@cache
def zone_of(name: str) -> ZoneInfo:
    """A time zone.

    Raises:
        ValueError: this system does not know it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        msg = (
            f"time zone {shown(name)} is not known here: name one like Europe/Berlin, and where "
            f"the system has none, install the package tzdata"
        )
        raise ValueError(msg) from None


@cache
def weekdays_of(days: str) -> frozenset[int]:
    """Days of the week, 0 for Monday.

    Raises:
        ValueError: it names none.
    """
    found: set[int] = set()
    for piece in days.split(",") if isinstance(days, str) else [""]:
        first, _, last = (part.strip().capitalize() for part in piece.partition("-"))
        if first not in WEEK or (last or first) not in WEEK:
            msg = f"days must be like Mon-Fri or Mon,Wed-Fri, got {cut(repr(days))}"
            raise ValueError(msg)
        start, end = WEEK.index(first), WEEK.index(last or first)
        found |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return frozenset(found)


def _moment(day: date, at: time, zone: ZoneInfo, *, last: int) -> datetime:
    """When clocks show a time, in UTC: of two such moments the first or the last.

    Where clocks go forward over it, the moment at which they do.
    """
    local = datetime.combine(day, at, zone).replace(fold=last)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None, fold=0):
        return moment
    before, after = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
