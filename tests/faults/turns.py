"""Scenarios in which others are asked than at first: stages, escalation, hand-over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from tests.faults.deployment import TIMEOUT, Deployment
from tests.faults.scenario import POLLING, SECOND, Scenario, decision, event, under

BOTH = Quorum.at_least(2)


def _staged(world: Deployment, *stages: Stage) -> str:
    """A request in stages, each with a minute's time."""
    timed = [Stage(stage.approvers, stage.quorum, TIMEOUT) for stage in stages]
    first = Policy(quorum=stages[0].quorum, stages=tuple(timed[1:]))
    world.rules = first.to_dict()
    said = {name: value for name, value in event().items() if name != "approvers"}
    return world.start("start", {**said, "stages": [stage.to_dict() for stage in stages]})


def _stages(world: Deployment) -> None:
    """Two stages of two people, who answer together; who is last of the first opens the second."""
    approval = _staged(world, Stage(["bob", "carol"], BOTH), Stage(["dave", "erin"], BOTH))
    for name in ("bob", "carol"):
        world.person(name, decision(approval, name, "approved"), at=5 * SECOND)
    for name in ("dave", "erin"):
        opened = world.event_of("stage_opened")
        world.person(name, decision(approval, name, "approved"), when=opened)


def _out_of_turn(world: Deployment) -> None:
    """Dave, of the second stage, answers while the first one does."""
    approval = _staged(world, Stage(["bob"]), Stage(["dave"]))
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.person("dave", decision(approval, "dave", "approved"), at=5 * SECOND)


def _stage_at_the_end(world: Deployment) -> None:
    """Bob's vote opens the next stage as the time of his own ends; then dave rejects."""
    approval = _staged(world, Stage(["bob"]), Stage(["dave"]))
    late = timedelta(0) if world.polling else SECOND
    latency = SECOND + late / 2
    last = TIMEOUT + late - 2 * latency
    world.person("bob", decision(approval, "bob", "approved"), at=last, latency=latency)
    opened = world.event_of("stage_opened")
    world.person("dave", decision(approval, "dave", "rejected"), when=opened)


def _escalated(world: Deployment) -> None:
    """Bob answers just as carol is asked in his place, and she at once."""
    steps = (Escalate(30 * SECOND, ["carol"], "replace"),)
    world.rules = Policy(escalation=steps).to_dict()
    said = event(approvers=["bob"], escalation=[step.to_dict() for step in steps])
    approval = world.start("start", said)
    world.person("bob", decision(approval, "bob", "approved"), at=31 * SECOND)
    asked = world.event_of("escalated")
    world.person("carol", decision(approval, "carol", "rejected"), when=asked)
    world.sweeps(20 * SECOND, 31 * SECOND)


def _handed_over(world: Deployment) -> None:
    """Bob answers, and gives his place to dave in another window; both of two must approve."""
    approval = world.start("start", event(approvers=["bob", "carol"]))
    over: Mapping[str, Any] = {"action": "reassign", "approver": "bob", "to": "dave"}
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.person("window", {**over, "approval_id": approval}, at=5 * SECOND)
    given = world.event_of("reassigned")
    world.person("dave", decision(approval, "dave", "approved"), when=given)


def _taken_back(world: Deployment) -> None:
    """Bob takes his vote back as carol's opens the next stage with it; then dave approves."""
    approval = _staged(world, Stage(["bob", "carol"], BOTH), Stage(["dave"]))
    back = {"action": "retract", "approver": "bob", "approval_id": approval}
    world.person("bob", decision(approval, "bob", "approved"), back, at=5 * SECOND)
    voted = world.event_of("voted")
    world.person("carol", decision(approval, "carol", "approved"), when=voted)
    opened = world.event_of("stage_opened")
    world.person("dave", decision(approval, "dave", "approved"), when=opened)


TURNS: Sequence[Scenario] = [
    Scenario("stages", _stages),
    Scenario("out-of-turn-polling", _out_of_turn, POLLING),
    Scenario("stage-at-the-end", _stage_at_the_end),
    Scenario("stage-at-the-end-polling", _stage_at_the_end, POLLING),
    Scenario("escalated", _escalated),
    Scenario("handed-over", _handed_over, under(Policy(quorum=BOTH))),
    Scenario("taken-back", _taken_back),
]
