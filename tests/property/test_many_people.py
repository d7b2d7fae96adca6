"""500 people who answer at once: each vote is committed once, whoever is quicker; none is lost."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.errors import VersionConflict
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.standing import standing
from hitl_approval.domain.voting import cast_vote
from hitl_approval.testing import in_memory
from tests.anything import any_opening, any_request, declared

CROWD = [f"person-{number:03}@example.com" for number in range(500)]


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(2, 6))
def test_should_take_the_vote_of_each_of_500_whoever_comes_first(
    draw: random.Random, at_once: int
) -> None:
    world = in_memory()
    opening = any_opening(
        request=any_request(approvers=CROWD),
        policy=Policy(quorum=Quorum.everyone()),
        now=world.clock.now(),
        timeout=timedelta(hours=1),
    )
    approval_id = world.store.create(opening).approval_id
    waiting = draw.sample(CROWD, len(CROWD))
    conflicts = 0
    while waiting:  # so many have read the same record; whoever commits first wins
        read = world.store.approvals[approval_id]
        batch = [waiting.pop() for _ in range(min(at_once, len(waiting)))]
        for name in draw.sample(batch, len(batch)):
            said = f"{name}: {'x' * draw.choice([0, 10, 2_000 - 30])}"
            voted = cast_vote(read, declared(name), "approved", said, now=world.clock.now())
            assert voted is not None
            try:
                world.store.commit(voted)
            except VersionConflict:
                conflicts += 1
                waiting.insert(0, name)

    approval = world.store.approvals[approval_id]
    assert approval.status == "approved"
    assert sorted(vote.approver for vote in approval.votes) == CROWD
    assert conflicts >= len(CROWD) * (at_once - 1) // at_once
    trail = world.store.history(approval_id)
    assert len(trail) == 501
    assert examine(trail, approval) == []


@pytest.mark.parametrize("voted", [0, 1, 479])
def test_should_say_how_it_stands_in_a_line_that_people_read(voted: int) -> None:
    world = in_memory()
    opening = any_opening(
        request=any_request(approvers=CROWD),
        policy=Policy(quorum=Quorum.at_least(480)),
        now=world.clock.now(),
    )
    approval_id = world.store.create(opening).approval_id
    for name in CROWD[:voted]:
        world.decisions.decide(approval_id, declared(name), "approved")
    said = standing(world.store.approvals[approval_id])
    assert said.startswith(f"{voted} of 480 approvals; ")
    assert len(said) < 700
    if voted < 479:
        assert f" and {500 - voted - 20} more must still answer" in said
