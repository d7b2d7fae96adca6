"""The stages of the other tests, and records for bad input to fail on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval import wiring
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.values import Values
from hitl_approval.testing import World, in_memory
from tests.anything import any_opening, any_request, declared
from tests.cli.conftest import cloud, hitl
from tests.workflow.conftest import make_stage

FORM = {
    "type": "object",
    "properties": {"reason": {"type": "string", "minLength": 3}, "cost": {"type": "number"}},
    "required": ["reason"],
}
__all__ = ["cloud", "hitl", "make_stage"]


@pytest.fixture
def world() -> World:
    """A deployment with one record of each kind that matters; the corpus names them."""
    world = in_memory()
    verified = Policy(require_verified_identity=True)
    reason = Policy(require_comment_on_rejection=True)
    two = Policy(quorum=Quorum.at_least(2))
    for approval_id, approvers, policy, hours in [
        ("open", (), Policy(), 1),
        ("for-alice", ("alice",), Policy(), 1),
        ("two-of-three", ("alice", "bob", "carol"), two, 1),
        ("approved", (), Policy(), 1),
        ("cancelled", (), Policy(), 1),
        ("expired", (), Policy(), 0),
        ("verified-only", (), verified, 1),
        ("reason-required", (), reason, 1),
    ]:
        world.store.create(
            any_opening(
                approval_id=approval_id,
                request=any_request(approvers=approvers),
                policy=policy,
                timeout=timedelta(hours=hours),
                now=world.clock.now(),
            )
        )
    for approval_id, form in (("with-values", FORM), ("changed", None)):
        request = any_request(
            approvers=("bob", "carol"),
            context={"amount": 100, "to": "ann"},
            editable=["amount"],
            form=form,
        )
        world.store.create(
            any_opening(approval_id=approval_id, request=request, policy=two, now=world.clock.now())
        )
    world.decisions.decide(
        "changed",
        declared("bob"),
        "approved",
        content_digest=world.store.approvals["changed"].content_digest,
        values=Values(changes={"amount": 120}),
    )
    world.decisions.decide("two-of-three", declared("alice"), "approved")
    world.decisions.decide("approved", declared("alice"), "approved")
    world.decisions.cancel("cancelled", declared("rita"))
    world.callbacks.completed.clear()
    return world


class NoAws:
    """A client of any service, of which nothing may be asked."""

    def __getattr__(self, operation: str) -> Any:
        pytest.fail(f"AWS was asked: {operation}")


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real wiring, on clients of which nothing may be asked."""
    services = (wiring.request_service, wiring.decision_service, wiring.sweep_service)
    monkeypatch.setattr(wiring, "client", lambda _: NoAws())
    for service in services:
        service.cache_clear()
    yield
    for service in services:
        service.cache_clear()
