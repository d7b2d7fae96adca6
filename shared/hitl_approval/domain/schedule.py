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

ASKING_OPERATIONS = 20
"""Beside the waiting: the members, the record, its first callback or its token, the last check,
and a message to be sent in six tries with the pauses between them."""

STAGE_OPERATIONS = 3
"""Of each stage, besides: a check at the end of its time, a callback and its registration."""


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


def most_operations(timeout: timedelta, poll_interval: timedelta | None) -> int:
    """Durable operations that one approval can take, undisturbed until its expiry.

    Args:
        timeout: time to decide.
        poll_interval: of an approval that is polled; None of one that waits for callbacks.
    """
    waited, taken = timedelta(0), ASKING_OPERATIONS
    while waited < timeout:
        left = timeout - waited
        if poll_interval is None:
            waited += recheck_delay(waited, left)
            taken += 2  # a callback and its registration
        else:
            waited += poll_delay(poll_interval, waited, left)
            taken += 1
    return taken
