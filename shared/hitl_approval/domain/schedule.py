"""When a waiting workflow checks the record by itself. Pure arithmetic of durations."""

from __future__ import annotations

from datetime import timedelta

SHORTEST_RECHECK = timedelta(minutes=1)
LONGEST_RECHECK = timedelta(hours=24)
RECHECK_STRETCH = 3
"""A re-check waits this many times the time waited so far. That makes six in a day, at two durable
operations each, which are most of what an approval costs; a sweep resumes within minutes."""
POLL_STRETCH = 0.005
"""A poll waits at least this share of the time waited: one year stays below 3,000 polls."""


def recheck_delay(
    waited: timedelta, remaining: timedelta, stretch: int = RECHECK_STRETCH
) -> timedelta:
    """How long to wait for the callback before a check: `stretch` times as long as so far.

    A lost callback that no sweep finds costs at most that much more than the approval already
    took. At least one minute, at most a day, and never past the expiry.
    """
    patience = max(waited * stretch, SHORTEST_RECHECK)
    return min(patience, LONGEST_RECHECK, max(remaining, timedelta(0)))


def poll_delay(interval: timedelta, waited: timedelta, remaining: timedelta) -> timedelta:
    """How long to wait before the next poll, never past the expiry."""
    return min(max(interval, waited * POLL_STRETCH), max(remaining, timedelta(0)))
