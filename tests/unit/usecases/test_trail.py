"""A trail and its row, read as they were at one moment; signatures where the deployment signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from hitl_approval.domain.errors import ApprovalNotFound
from hitl_approval.testing import InMemoryStore, World, in_memory
from hitl_approval.usecases.trail import TRIES, read_trail, unsigned
from tests.anything import any_opening, declared


class Signer:
    """Takes the signatures that it is given."""

    def __init__(self, *good: str) -> None:
        self.good = good

    def sign(self, digest: str) -> str:
        return digest

    def verify(self, digest: str, signature: str) -> bool:
        return signature in self.good


@pytest.fixture
def world() -> World:
    made = in_memory()
    made.store.create(any_opening(approval_id="a", now=made.clock.now()))
    return made


def test_should_find_nothing_wrong_with_what_was_written(world: World) -> None:
    world.decisions.decide("a", declared("bob"), "approved")
    trail = read_trail(world.store, "a", None)
    assert [event["event"] for event in trail.events] == ["requested", "approved"]
    assert list(trail.findings) == []


def test_should_know_no_approval_that_never_was(world: World) -> None:
    with pytest.raises(ApprovalNotFound):
        read_trail(world.store, "b", None)


def test_should_read_again_while_others_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, reads = InMemoryStore.history, 0

    def busy(store: InMemoryStore, approval_id: str) -> Sequence[Mapping[str, Any]]:
        nonlocal reads
        reads += 1
        found = history(store, approval_id)
        if reads == 1:
            world.decisions.decide("a", declared("bob"), "approved")
        return found

    monkeypatch.setattr(InMemoryStore, "history", busy)
    trail = read_trail(world.store, "a", None)
    assert reads == 2 < TRIES
    assert (len(trail.events), list(trail.findings)) == (2, [])


def test_should_name_the_events_that_the_key_has_not_signed() -> None:
    events = [{"hash": "h1", "signature": "good"}, {"hash": "h2", "signature": "bad"}, {}]
    assert [finding.sequence for finding in unsigned(events, Signer("good"))] == [2, 3]
    assert unsigned(events, None) == []
