"""A decision when others write at the same time; see also http/test_actions.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import AlreadyDecided
from hitl_approval.domain.policy import Policy, Quorum
from hitl_approval.testing import InMemoryStore, World, in_memory
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_request, declared

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return in_memory()


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


def meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], times: int = 1
) -> None:
    """Let somebody else act between the read and the commit of the next writes."""
    commit = InMemoryStore.commit
    left = times

    def late(store: InMemoryStore, transition: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            with monkeypatch.context() as undisturbed:
                undisturbed.setattr(InMemoryStore, "commit", commit)
                act()
        commit(store, transition)

    monkeypatch.setattr(InMemoryStore, "commit", late)


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
