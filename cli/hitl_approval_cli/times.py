"""Times as a person reads them."""

from __future__ import annotations

from datetime import datetime

from hitl_approval_cli import clock


def local_time(value: str | None) -> str:
    """A time on record in this machine's zone."""
    if not value:
        return ""
    return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"


def time_left(expires_at: str) -> str:
    """How long there still is to decide."""
    left = datetime.fromisoformat(expires_at) - clock.now()
    seconds = int(left.total_seconds())
    return "expired" if seconds <= 0 else f"{_length(seconds)} left"


def age(created_at: str) -> str:
    """How long ago something was made."""
    gone = clock.now() - datetime.fromisoformat(created_at)
    return _length(max(0, int(gone.total_seconds())))


def _length(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
