"""`hitl resume`: the callback is completed again, nothing is written."""

from __future__ import annotations

from hitl_approval.testing import World
from tests.anything import any_opening

from .conftest import Hitl
from .deciding import decided

# resume


def test_should_complete_the_callback_again_and_write_nothing(hitl: Hitl, world: World) -> None:
    approval_id = decided(world)
    before = repr((world.store.approvals, world.store.audit))
    result = hitl("resume", approval_id, "--json")
    assert result.json == {"approval_id": approval_id, "status": "approved", "workflow": "resumed"}
    assert world.callbacks.completed == ["callback-1", "callback-1"]
    assert repr((world.store.approvals, world.store.audit)) == before
    assert "approved by bob; the workflow resumes" in hitl("resume", approval_id).out


def test_should_not_resume_for_what_is_pending(hitl: Hitl, world: World) -> None:
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    result = hitl("resume", approval_id)
    assert result.status == 1
    assert "is still pending: there is nothing to resume for" in result.err
    assert world.callbacks.completed == []
