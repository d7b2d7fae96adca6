"""Requests that await a decision, and what the command was seen to call."""

from __future__ import annotations

from typing import Any

from hitl_approval.testing import World
from tests.anything import any_opening, any_request

from .conftest import Hitl
from .fake_cloud import FakeCloud

WHOLE = "1f0e7c2ab5d84e6f9c3d2b1a0f9e8d7c"


def pending(world: World, approval_id: str = WHOLE, **fields: Any) -> str:
    opening = any_opening(approval_id=approval_id, **({"now": world.clock.now()} | fields))
    return world.store.create(opening).approval_id


def requested(world: World, **fields: object) -> str:
    """A pending approval whose request has these fields, with an id of its own."""
    opening = any_opening(request=any_request(**fields), now=world.clock.now())
    return world.store.create(opening).approval_id


def asked(cloud: FakeCloud) -> list[str]:
    return [event["action"] for event in cloud.asked]


def shown(hitl: Hitl, *words: str) -> list[str]:
    return [item["approval_id"] for item in hitl(*words, "--json").json["approvals"]]


def filed(world: World, approval_id: str, **fields: Any) -> None:
    """A pending approval, in the inboxes of those it names."""
    pending(world, approval_id, **fields)
    approval = world.store.approvals[approval_id]
    world.inbox.add(approval, approval.deciders)
