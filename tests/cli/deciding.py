"""A request that a test has decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hitl_approval.testing import World
from tests.anything import any_opening, declared


def decided(world: World, decision: str = "approved", minutes: int = 5, **fields: Any) -> str:
    opening = any_opening(now=world.clock.now(), **fields)
    approval_id = world.store.create(opening).approval_id
    world.clock.advance(timedelta(minutes=minutes))
    world.decisions.decide(approval_id, declared("bob"), decision)  # type: ignore[arg-type]
    return approval_id
