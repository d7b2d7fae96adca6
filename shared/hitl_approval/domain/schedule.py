"""When a waiting workflow looks at the record by itself. Pure arithmetic of durations."""

from __future__ import annotations

from datetime import timedelta

SHORTEST_RECHECK = timedelta(minutes=1)
LONGEST_RECHECK = timedelta(hours=24)
POLL_STRETCH = 0.005
"""A poll waits at least this share of the time waited: one year stays below 3,000 polls."""


def recheck_delay(waited: timedelta, remaining: timedelta) -> timedelta:
    """How long to wait for the doorbell before looking: as long again as so far.

    A lost doorbell costs at most as long again as the approval already took. At least one minute,
    at most a day, and never past the expiry.
    """
    return min(max(waited, SHORTEST_RECHECK), LONGEST_RECHECK, max(remaining, timedelta(0)))


def poll_delay(interval: timedelta, waited: timedelta, remaining: timedelta) -> timedelta:
    """How long to wait before the next poll, never past the expiry."""
    return min(max(interval, waited * POLL_STRETCH), max(remaining, timedelta(0)))
