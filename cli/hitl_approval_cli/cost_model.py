"""How many durable operations and invocations one approval takes: an exact model, no AWS.

Counted as Lambda meters them: the execution 1, a step 1, a callback 1, a durable wait 1, a
`wait_for_condition` 1 and 1 for each poll. An undisturbed approval is followed from event to event
with the runtime's own schedule (`hitl_approval.domain.schedule`); `tests/bench/test_cost_model.py`
holds every count against real executions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from hitl_approval.contract import EXECUTION_MARGIN_SECONDS, MAX_EXECUTION_SECONDS, MAX_OPERATIONS
from hitl_approval.domain.schedule import poll_delay, recheck_delay

LONGEST_TIMEOUT = timedelta(seconds=MAX_EXECUTION_SECONDS - EXECUTION_MARGIN_SECONDS)
"""Longest time to decide that an execution can hold."""
DEFAULT_POLL = timedelta(seconds=5)
"""`poll_interval` where a deployment says nothing else, and the pattern's."""

_A_MOMENT = timedelta(milliseconds=1)
"""Between a resume and the reading of the clock. Any time above 0 gives the same counts."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one approval takes.

    Attributes:
        operations: durable operations as they are metered.
        invocations: of the workflow function.
        checks: how often the record was written (callback) or read (polling) while it waited.
        died_after: when the execution ran out of operations; None if it ended well.
    """

    operations: int
    invocations: int
    checks: int
    died_after: timedelta | None = None


def callback(wait: timedelta, timeout: timedelta = LONGEST_TIMEOUT) -> Usage:
    """`wait_for_approval` with `resume="callback"`, decided after `wait` or timed out."""
    operations = 4  # the execution, callback-1, create, notify
    invocations = 1
    checks = 0
    known, delay = _A_MOMENT, recheck_delay(timedelta(0), timeout)
    callback = delay + timedelta(seconds=1)  # when the open callback times out
    while callback < min(wait, timeout + timedelta(seconds=1)):
        invocations += 1
        known += delay
        if known >= timeout:
            break
        delay = recheck_delay(known, timeout - known)
        operations += 2  # the next callbacks, register
        checks += 1
        known = callback + _A_MOMENT
        callback += _whole_seconds(delay)
    else:
        invocations += 1  # the resume, or the timeout at the expiry
    return Usage(operations + 1, invocations, checks)  # check


def polling(
    wait: timedelta, timeout: timedelta = LONGEST_TIMEOUT, interval: timedelta = DEFAULT_POLL
) -> Usage:
    """`wait_for_approval` with `resume="polling"`, decided after `wait` or timed out."""
    now, polls = timedelta(0), 1
    while now < min(wait, timeout):
        now += _whole_seconds(poll_delay(interval, now + _A_MOMENT, timeout - now))
        polls += 1
    # The execution, token, create, notify, the wait_for_condition and its polls.
    return Usage(5 + polls, polls, polls)


def pattern(
    wait: timedelta, timeout: timedelta = LONGEST_TIMEOUT, interval: timedelta = DEFAULT_POLL
) -> Usage:
    """The public pattern's loop, as its README shows it: create, notify, (check, wait 5 s) ..."""
    checks = ceil(min(wait, timeout) / interval) + 1
    operations = 3 + checks + (checks - 1)
    if operations <= MAX_OPERATIONS:
        return Usage(operations, checks, checks)
    checks = (MAX_OPERATIONS - 3) // 2
    return Usage(MAX_OPERATIONS, checks, checks, died_after=checks * interval)


def bare(_: timedelta) -> Usage:
    """The least that any approval can take: one callback, and one step that reads its result."""
    return Usage(operations=3, invocations=2, checks=0)


DESIGNS: Mapping[str, Callable[[timedelta], Usage]] = {
    "callback": callback,
    "polling": polling,
    "pattern": pattern,
    "bare": bare,
}
"""By the name that the tables use."""


def _whole_seconds(delta: timedelta) -> timedelta:
    """Durable timers are whole seconds, rounded up, at least one."""
    return timedelta(seconds=max(1, ceil(delta.total_seconds())))
