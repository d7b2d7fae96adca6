"""A decision when others write at the same time; see also http/test_actions.py."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.errors import AlreadyDecided
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.testing import World
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_request, declared
from tests.unit.usecases.submitted import HOUR, meanwhile


def submit(world: World, token: str = "token-1", quorum: Quorum | None = None) -> Any:
    resolved = ResolvedRequest(
        request=any_request(),
        approvers=(),
        policy=Policy(quorum=quorum or Quorum.any_one()),
        timeout=HOUR,
    )
    return world.requests.submit(
        resolved,
        approval_id="approval-1",
        execution_arn="arn/1",
        creation_token=token,
        callback_id=f"callback of {token}",
    )


def test_should_tell_who_came_first_when_another_has_decided_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world,
        monkeypatch,
        lambda: world.decisions.decide("approval-1", declared("bob"), "approved"),
    )

    with pytest.raises(AlreadyDecided, match="already approved by bob"):
        world.decisions.decide("approval-1", declared("carol"), "rejected")


def test_should_complete_the_callback_that_was_registered_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit(world)
    meanwhile(
        world, monkeypatch, lambda: world.requests.register_callback("approval-1", "callback-2")
    )

    world.decisions.decide("approval-1", declared("bob"), "approved")

    assert world.callbacks.completed == ["callback-2"]
