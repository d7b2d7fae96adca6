"""Whoever takes a place or stands in: the row and the outcome hold it, or it is refused before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.errors import RecordFull
from hitl_approval.domain.outcome import snapshot_of
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.request_values import MAX_PATHS_BYTES
from hitl_approval.domain.room import MAX_NAMES
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, declared
from tests.contract.test_sizes import (
    ITEM_LIMIT,
    OPERATION_LIMIT,
    WIDEST,
    Recorder,
    largest_request,
    plain,
    size,
)
from tests.unit.domain.test_delegation import given as delegation

LATER = NOW + timedelta(minutes=1)
LETTERS = ["x", "\u00e9", "\u4e2d", WIDEST]
PATHS = [f"{number:02}{'x' * (MAX_PATHS_BYTES // 50 - 2)}" for number in range(50)]


def named(prefix: str, number: int, letter: str, longest: int) -> str:
    """A name of that many letters, or of as many as a name may have."""
    most = min(longest, text.MAX_PERSON - 6, (text.MAX_PERSON_KEY - 6) // len(letter.encode()))
    return f"{prefix}{number:04}" + letter * most


class Record:
    """A record at work, and its row as DynamoDB has it."""

    def __init__(self, people: Sequence[str], stages: Sequence[Sequence[str]]) -> None:
        self.client = Recorder()
        self.store = DynamoDbStore(client=self.client, approvals_table="a", audit_table="b")
        rules = Policy(
            quorum=Quorum.everyone(),
            stages=tuple(
                Stage(names, quorum=Quorum.everyone(), timeout=timedelta(hours=1))
                for names in stages
            ),
        )
        request = largest_request(
            approvers=list(people), sensitive=PATHS, context=dict.fromkeys(PATHS, 0)
        )
        self.approval = self.store.create(any_opening(request=request, policy=rules))
        self.refused = 0

    def tried(self, change: Callable[[Approval], Transition | None]) -> bool:
        """Whether it was not refused; of what was written, the row and outcome have room."""
        try:
            transition = change(self.approval)
        except RecordFull:
            self.refused += 1
            return False
        assert transition is not None
        self.store.commit(replace(transition, delegation=None))
        self.approval = transition.after
        return True

    def fits(self) -> bool:
        """Whether the row and what a durable step returns of it are within their limits."""
        row: dict[str, Any] = {name: plain(value) for name, value in self.client.row.items()}
        outcome = replace(self.approval, status="approved")
        encoded = json.dumps(snapshot_of(outcome, now=NOW))
        return size(row) < ITEM_LIMIT and len(encoded) < OPERATION_LIMIT

    def hand_over(self, giver: str, to: str) -> bool:
        return self.tried(
            lambda approval: reassign(approval, declared(giver), giver=giver, to=to, now=LATER)
        )

    def vote(self, name: str, giver: str | None = None) -> bool:
        """With the longest comment; in the giver's place where there is one."""
        given_by = [delegation(giver, name)] if giver else []
        said = WIDEST * text.MAX_COMMENT
        return self.tried(
            lambda approval: cast_vote(
                approval, declared(name), "approved", said, now=LATER, delegations=given_by
            )
        )

    def through(self, people: Sequence[str], turns: Sequence[str], new: Callable[..., str]) -> None:
        """Everybody of a stage gives their place, lets somebody stand in, both, or answers."""
        holders = []
        for number, name in enumerate(people):
            to = new("t", number)
            gives = "hand over" in turns[number % len(turns)]
            holders.append(to if gives and self.hand_over(name, to) else name)
        assert self.fits()
        for number, name in enumerate(holders):
            stands_in = "stand in" in turns[number % len(turns)]
            if not (stands_in and self.vote(new("d", number), giver=name)):
                assert self.vote(name), "who is asked always has their place"
        assert self.fits()


@settings(deadline=None, max_examples=50)  # no time is asserted
@given(
    count=st.integers(1, 25),
    later=st.integers(0, 10),
    letters=st.tuples(st.sampled_from(LETTERS), st.sampled_from(LETTERS)),
    longest=st.integers(1, text.MAX_PERSON),
    turns=st.lists(
        st.sampled_from(["answer", "hand over", "stand in", "hand over, stand in"]), min_size=1
    ),
)
@example(25, 10, (WIDEST, WIDEST), 254, ["hand over, stand in"])
@example(25, 10, ("x", "x"), 320, ["hand over", "stand in"])
def test_should_hold_whoever_takes_a_place_or_stands_in_or_refuse_them(
    count: int, later: int, letters: tuple[str, str], longest: int, turns: list[str]
) -> None:
    asked, new = letters
    people = [named("a", number, asked, 150) for number in range(count)]
    second = [named("b", number, asked, 150) for number in range(later)]
    record = Record(people, [second] if second else [])
    for stage in filter(None, (people, second)):
        at = record.approval.turn.stage
        record.through(stage, turns, lambda kind, n, at=at: named(f"{kind}{at}", n, new, longest))
    assert record.approval.status == "approved"


@pytest.mark.parametrize(
    ("letter", "turns"),
    [("x", "stand in"), ("x", "hand over, stand in"), (WIDEST, "hand over, stand in")],
)
def test_should_hold_500_people_whoever_stands_in(letter: str, turns: str) -> None:
    longest = (MAX_NAMES // 500 - 10) // len(json.dumps(letter).strip('"'))
    if letter == "x":
        longest = 85  # more do not fit a row beside the largest context
    people = [named("a", number, letter, longest) for number in range(500)]
    record = Record(people, [])
    record.through(people, [turns], lambda kind, number: named(kind, number, letter, 254))
    assert record.approval.status == "approved"
    assert record.refused > 300


def test_should_hold_a_crowd_with_addresses_half_of_whom_are_away() -> None:
    people = [f"person-{number:03}@example.com" for number in range(500)]
    record = Record(people, [])
    record.through(
        people, ["answer", "stand in"], lambda kind, number: f"{kind}-{number:03}@example.com"
    )
    assert not record.refused
