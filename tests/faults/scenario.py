"""What a scenario is: a name, an environment, and who acts; and the words that they all use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hitl_approval.domain.escalation import SWEEP_GRACE
from hitl_approval.domain.policy import Policy
from tests.faults.deployment import TIMEOUT, Deployment
from tests.faults.durable import Handler
from tests.faults.seams import deploy
from tests.faults.simulator import Bounds, Chooser

SECOND = timedelta(seconds=1)
APPROVERS = ["bob", "carol", "dave"]
POLLING = {"RESUME_MODE": "polling", "POLL_INTERVAL_SECONDS": "30"}


def event(**fields: Any) -> dict[str, Any]:
    """The packaged workflow's event."""
    return {
        "document_id": "doc-1",
        "document_name": "Contract",
        "requester": "alice",
        "approvers": APPROVERS,
        "timeout_seconds": int(TIMEOUT.total_seconds()),
        **fields,
    }


def decision(approval_id: str, approver: str, decided: str) -> dict[str, Any]:
    return {
        "approval_id": approval_id,
        "approver": approver,
        "decision": decided,
        "comments": f"{approver} has {decided}",
    }


def under(policy: Policy) -> dict[str, str]:
    """The environment of a deployment with this policy."""
    return {"APPROVAL_POLICY": json.dumps(policy.to_dict())}


@dataclass(frozen=True)
class Scenario:
    """A name, a deployment, and who acts in it."""

    name: str
    set_up: Callable[[Deployment], None]
    environment: Mapping[str, str] = field(default_factory=dict)
    handlers: tuple[Handler, Handler] | Callable[[], tuple[Handler, Handler]] | None = None
    """The workflow and the approval function; where they are made in the world, a call for it."""
    grace: timedelta = SWEEP_GRACE
    """What the sweep leaves a workflow to do a thing by itself."""

    def run(self, chooser: Chooser, bounds: Bounds) -> Deployment:
        handlers = self.handlers() if callable(self.handlers) else self.handlers
        deployment = deploy(chooser, bounds, self.environment, handlers, grace=self.grace)
        self.set_up(deployment)
        deployment.world.run()
        return deployment


def both(name: str, set_up: Callable[[Deployment], None], **environment: str) -> list[Scenario]:
    """The same for a workflow that is resumed by a callback and for one that polls."""
    return [
        Scenario(name, set_up, environment),
        Scenario(f"{name}-polling", set_up, {**POLLING, **environment}),
    ]
