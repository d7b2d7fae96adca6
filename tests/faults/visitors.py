"""Scenarios of the approval function's other callers: who reads, who is refused, who comes later.

Who comes later reaches a newer version of the functions than the one that the workflow waits in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum
from tests.faults.deployment import Deployment
from tests.faults.scenario import POLLING, SECOND, Scenario, decision, event, under


def _readers(world: Deployment) -> None:
    """Two of three approve; somebody reads along, in every way there is."""
    approval = world.start("start", event())
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.person("carol", decision(approval, "carol", "approved"), at=5 * SECOND)
    world.person("reader", *_questions(approval)[:3], at=5 * SECOND)


def _readers_at_the_end(world: Deployment) -> None:
    """Somebody reads along while the request is made, and while it times out."""
    approval = world.start("start", event())
    world.person("reader", *_questions(approval))
    world.person("auditor", *_questions(approval), at=61 * SECOND)


def _questions(approval_id: str) -> list[Mapping[str, Any]]:
    return [
        {"action": "history", "approval_id": approval_id},
        {"action": "get", "approval_id": approval_id},
        {"action": "list", "status": "approved"},
        {"action": "list", "status": "pending", "limit": 1},
    ]


def _refused(world: Deployment) -> None:
    """Whatever is refused, for whatever reason, beside the one decision that counts."""
    approval = world.start("start", event())
    good = decision(approval, "bob", "approved")
    world.person(
        "mallory",
        decision(approval, "mallory", "approved"),
        decision(approval, "alice", "approved"),
        decision("no-such-approval", "bob", "approved"),
        decision(approval, "bob", "perhaps"),
        {"requestContext": {"http": {"method": "POST"}}, "body": '{"approval_id": '},
        {**good, "status": "approved"},
        {**good, "content_digest": "0" * 64},
        {"action": "cancel", "approval_id": approval},
        at=5 * SECOND,
    )
    world.person("bob", good, at=5 * SECOND)


def _redeployed(world: Deployment) -> None:
    """While the workflow waits for two of three, the functions are deployed anew, and laxer."""
    newer = {
        **world.environment,
        **under(Policy(quorum=Quorum.any_one(), on_timeout=OnTimeout.reject())),
        "DEFAULT_APPROVERS": '["mallory"]',
        "APPROVAL_TIMEOUT_SECONDS": "1",
        "POLL_INTERVAL_SECONDS": "300",
        "RESUME_MODE": "callback" if world.polling else "polling",
    }
    world.redeployed = dict.fromkeys(("carol", "mallory", "sweep"), newer)
    mine = ("document_id", "document_name", "requester")
    approval = world.start("start", {name: event()[name] for name in mine})
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)
    world.person("mallory", decision(approval, "mallory", "approved"), at=5 * SECOND)
    world.person("carol", decision(approval, "carol", "approved"), at=5 * SECOND)
    world.sweeps(*(8 * 60 * SECOND, 13 * 60 * SECOND))


OLDER = {
    **under(Policy(quorum=Quorum.at_least(2))),
    "DEFAULT_APPROVERS": '["bob", "carol", "dave"]',
    "APPROVAL_TIMEOUT_SECONDS": "60",
}

VISITORS: Sequence[Scenario] = [
    Scenario("readers", _readers, under(Policy(quorum=Quorum.at_least(2)))),
    Scenario("readers-at-the-end", _readers_at_the_end),
    Scenario("refused", _refused),
    Scenario("redeployed", _redeployed, OLDER),
    Scenario("redeployed-polling", _redeployed, {**POLLING, **OLDER}),
]
