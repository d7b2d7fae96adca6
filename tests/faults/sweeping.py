"""Scenarios with the sweep: workflows that operators stop, callbacks lost, and the living.

Three runs wherever one could do, so that the last still finds what a fault kept from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from tests.faults.deployment import TIMEOUT, Deployment
from tests.faults.scenario import POLLING, SECOND, Scenario, decision, event

MINUTE = timedelta(minutes=1)
SCHEDULE = (7 * MINUTE, 12 * MINUTE, 17 * MINUTE)
"""Every five minutes, from the first at which anything can be overdue."""


def _stopped(world: Deployment) -> None:
    """An operator stops the workflow while it asks; then nobody decides."""
    approval = world.start("start", event())
    world.operator("start", when=world.row_exists(approval))
    world.sweeps(*SCHEDULE)


def _stopped_and_decided(world: Deployment) -> None:
    """An operator stops the workflow as bob decides: before, after, or before it has read it."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))
    world.operator("start", when=world.row_ended(approval))
    world.sweeps(*SCHEDULE)


def _stopped_before_decided(world: Deployment) -> None:
    """Bob decides what no workflow waits for any more."""
    approval = world.start("start", event())
    world.operator("start", when=world.row_exists(approval))
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.sweeps(*SCHEDULE)


def _not_resumed(world: Deployment) -> None:
    """Bob's callback is in vain, and the workflow would check by itself much later."""
    world.world.deaf = 1
    decided = 20 * MINUTE
    approval = world.start("start", event(timeout_seconds=3600))
    world.person("bob", decision(approval, "bob", "approved"), at=decided)
    world.sweeps(decided / 2, *(decided + moment for moment in SCHEDULE))


def _early(world: Deployment) -> None:
    """Bob decides at once, perhaps before the workflow knows that its request is on record."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), when=world.row_exists(approval))
    world.sweeps(*SCHEDULE)


def _paused(world: Deployment) -> None:
    """An operator pauses the workflow; bob decides meanwhile, and two sweeps come by."""
    approval = world.start("start", event(timeout_seconds=3600))
    world.paused("start", 3 * SECOND, 14 * MINUTE)
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.sweeps(*SCHEDULE)


def _among(*sweepers: str, moments: Sequence[timedelta]) -> Callable[[Deployment], None]:
    """Without its grace a sweep meets the living: bob, who decides, and the workflow, resuming."""

    def set_up(world: Deployment) -> None:
        approval = world.start("start", event())
        bob = decision(approval, "bob", "approved")
        world.person("bob", bob, at=5 * SECOND, latency=SECOND)
        for name in sweepers:
            world.sweeps(*moments, name=name)

    return set_up


def _at_the_end(world: Deployment) -> None:
    """Without its grace: bob's write, the workflow's check and the sweep when time is up."""
    approval = world.start("start", event())
    latency = SECOND + SECOND / 2
    world.person(
        "bob",
        decision(approval, "bob", "approved"),
        at=TIMEOUT + SECOND - 2 * latency,
        latency=latency,
    )
    world.sweeps(TIMEOUT + SECOND, 2 * MINUTE, 3 * MINUTE)


def _behind_what_cannot_be_read(world: Deployment) -> None:
    """A row of a newer version is due before the one whose workflow an operator stops."""
    newer = {
        "approval_id": {"S": "newer"},
        "status": {"S": "pending"},
        "policy": {"M": {"quorum": {"S": "weighted"}}},
        "attention": {"S": "pending"},
        "attention_at": {"S": "2020-01-01T00:00:00.000Z"},
    }
    world.stranger(lambda: True, lambda: newer)
    approval = world.start("start", event())
    world.operator("start", when=world.row_exists(approval))
    world.sweeps(*SCHEDULE)


def _meeting(name: str, set_up: Callable[[Deployment], None]) -> Sequence[Scenario]:
    now = timedelta(0)
    return [
        Scenario(name, set_up, grace=now),
        Scenario(f"{name}-polling", set_up, POLLING, grace=now),
    ]


SWEEPING: Sequence[Scenario] = [
    Scenario("stopped", _stopped),
    Scenario("stopped-polling", _stopped, POLLING),
    Scenario("stopped-and-decided", _stopped_and_decided),
    Scenario("stopped-before-decided", _stopped_before_decided),
    Scenario("not-resumed", _not_resumed),
    Scenario("unreadable", _behind_what_cannot_be_read),
    Scenario("paused", _paused),
    Scenario("swept-early", _early),
    Scenario("swept-early-polling", _early, POLLING),
    *_meeting("sweep-among", _among("sweep", moments=(8 * SECOND, 2 * MINUTE))),
    Scenario("sweep-twice", _among("sweep", "other", moments=[8 * SECOND]), grace=timedelta(0)),
    *_meeting("sweep-at-the-end", _at_the_end),
]
