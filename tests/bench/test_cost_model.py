"""The model of what an approval takes, held against real executions in virtual time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bench.virtual import count
from hitl_approval.contract import MAX_OPERATIONS
from hitl_approval.domain.schedule import ASKING_OPERATIONS, most_operations
from hitl_approval_cli.cost_model import (
    DEFAULT_POLL,
    DESIGNS,
    LONGEST_TIMEOUT,
    callback,
    pattern,
    polling,
)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("design", "wait"),
    [
        *[("callback", wait) for wait in (MINUTE, 2 * MINUTE, 5 * MINUTE, HOUR, DAY, 30 * DAY)],
        *[("polling", wait) for wait in (MINUTE, 5 * MINUTE, HOUR)],
        *[("pattern", wait) for wait in (MINUTE, 2 * MINUTE)],
        ("bare", HOUR),
    ],
    ids=str,
)
def test_should_count_what_a_real_execution_takes(design: str, wait: timedelta) -> None:
    expected, run = DESIGNS[design](wait), count(design, wait)

    assert (run.operations, run.invocations) == (expected.operations, expected.invocations)


@pytest.mark.parametrize("design", ["callback", "polling"])
@pytest.mark.parametrize("seconds", [60, 61, 90, 244, 245, 600, 5000])
def test_should_count_what_a_real_timeout_takes(design: str, seconds: int) -> None:
    timeout = timedelta(seconds=seconds)
    model = {"callback": callback, "polling": polling}[design]

    expected, run = model(DAY, timeout), count(design, DAY, timeout)

    assert (run.operations, run.invocations) == (expected.operations, expected.invocations)


def test_should_leave_room_below_the_quota_however_long_it_waits() -> None:
    waits = [timedelta(days=days) for days in range(1, 367)]
    most = max(DESIGNS[name](wait).operations for wait in waits for name in ("callback", "polling"))
    assert most < MAX_OPERATIONS


def test_should_never_take_less_for_a_longer_wait() -> None:
    waits = [timedelta(seconds=2**power) for power in range(25)]
    for design, model in DESIGNS.items():
        taken = [model(wait).operations for wait in waits]
        assert taken == sorted(taken), design


def test_should_say_when_the_pattern_dies() -> None:
    died = pattern(LONGEST_TIMEOUT).died_after
    assert died is not None
    assert pattern(died - timedelta(seconds=10)).died_after is None
    assert pattern(died + timedelta(seconds=10)).died_after == died


@pytest.mark.parametrize("seconds", [1, 60, 61, 3_600, 86_400, 7 * 86_400, 366 * 86_400 - 900])
def test_should_reserve_at_least_what_an_approval_can_take(seconds: int) -> None:
    timeout = timedelta(seconds=seconds)
    taken = callback(timeout, timeout).operations
    assert taken <= most_operations(timeout, None) <= 1.02 * taken + ASKING_OPERATIONS
    taken = polling(timeout, timeout).operations
    assert taken <= most_operations(timeout, DEFAULT_POLL) <= 1.02 * taken + ASKING_OPERATIONS
