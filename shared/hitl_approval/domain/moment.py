"""Moments in words: in somebody's own time, and how long until then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SECONDS = {"day": 86_400, "hour": 3_600, "minute": 60}


def in_words(moment: datetime, *, now: datetime | None = None, zone: tzinfo | None = None) -> str:
    """A moment as a person says it: `Friday 2 January 2026, 11:04 UTC (in 7 hours)`.

    Args:
        moment: with its zone.
        now: how long until then is said from. Default: it is not said.
        zone: the reader's own. Default: UTC, where it is not known.
    """
    local = moment.astimezone(zone or UTC)
    day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
    said = f"{day}, {local:%H:%M} {local.tzname()}"
    return said if now is None or moment <= now else f"{said} (in {length(moment - now)})"


def utc_moment(moment: datetime) -> str:
    """A moment in few characters: `2026-01-02 11:04 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length(duration: timedelta) -> str:
    """How long something takes, never more than it does: `7 hours`, `1 day 3 hours`.

    In the largest unit, and the next one as well where there is but one of that.
    """
    seconds = int(duration.total_seconds())
    parts: list[tuple[int, str]] = []
    for unit, size in _SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, unit))
    if not parts:
        return "less than a minute"
    said = parts[:2] if parts[0][0] == 1 else parts[:1]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in said if count)
