"""What is measured after each sweep of a deployment that is monitored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_approval.contract import Metrics
from hitl_approval.domain.escalation import SWEEP_GRACE
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.gauges import InMemoryGauges
from hitl_approval.usecases.gauge import OLDER, measure
from tests.anything import declared
from tests.unit.usecases.test_sweep import HOUR, ask


@pytest.fixture
def world() -> World:
    return in_memory()


def measured(world: World, pending: int) -> dict[str, float]:
    measure(
        InMemoryGauges(world.store),
        world.meter,
        pending=pending,
        now=world.clock.now(),
        grace=SWEEP_GRACE,
    )
    assert {unit for _, _, unit in world.meter.measured} == {"Seconds"}
    found = {name: value for name, value, _ in world.meter.measured}
    world.meter.measured.clear()
    return found


def test_should_be_zero_where_nothing_is_pending(world: World) -> None:
    assert measured(world, 0) == {Metrics.PENDING_AGE: 0, Metrics.SWEEP_LAG: 0}


def test_should_say_the_age_that_one_in_twenty_exceeds(world: World) -> None:
    for _ in range(OLDER):
        ask(world)
        world.clock.advance(timedelta(minutes=1))
    assert measured(world, OLDER - 1)[Metrics.PENDING_AGE] == 20 * 60
    assert measured(world, OLDER)[Metrics.PENDING_AGE] == 19 * 60


def test_should_say_how_long_the_oldest_waits_that_a_sweep_has_not_come_to(world: World) -> None:
    ask(world)
    decided = ask(world)
    world.decisions.decide(decided, declared("bob"), "approved")
    world.clock.advance(SWEEP_GRACE)
    assert measured(world, 1)[Metrics.SWEEP_LAG] == 0
    world.clock.advance(timedelta(seconds=90))
    assert measured(world, 1)[Metrics.SWEEP_LAG] == 90
    world.clock.advance(HOUR)
    assert measured(world, 1)[Metrics.SWEEP_LAG] == 90 + HOUR.total_seconds()


def test_should_be_measured_by_the_sweep_of_a_monitored_deployment(world: World) -> None:
    ask(world)
    world.clock.advance(2 * HOUR)
    sweeps = replace(world.sweeps, gauges=InMemoryGauges(world.store))
    sweeps.sweep()
    assert world.meter.measured == [
        (Metrics.PENDING, 0, "Count"),
        (Metrics.PENDING_AGE, 0, "Seconds"),
        (Metrics.SWEEP_LAG, 0, "Seconds"),
    ]


def test_should_show_a_lag_where_the_time_was_up(world: World) -> None:
    ask(world)
    world.clock.advance(2 * HOUR)
    sweeps = replace(world.sweeps, gauges=InMemoryGauges(world.store))
    sweeps.sweep(timedelta(0))
    [lag] = [value for name, value, _ in world.meter.measured if name == Metrics.SWEEP_LAG]
    assert lag == (HOUR - SWEEP_GRACE).total_seconds()
