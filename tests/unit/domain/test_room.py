"""What a record has room for: people are refused at asking, comments left out of the row only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import altered_end, examine
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.errors import InvalidRequest, RecordFull
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.room import (
    LEFT_OUT,
    has_room_for_others,
    kept_comment,
    room_for_comments,
)
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_opening, any_request, declared
from tests.unit.domain.test_delegation import given as delegation

EVERYONE = Policy(quorum=Quorum.everyone())
LATER = NOW + timedelta(minutes=1)
CROWD = [f"person-{number:03}@example.com" for number in range(500)]


def of(people: list[str], **fields: Any) -> Approval:
    return any_approval(request=any_request(approvers=people), **fields)


def test_should_hold_500_people_with_addresses_and_all_comments_of_20() -> None:
    assert room_for_comments(of(CROWD)) > 60_000
    assert room_for_comments(of(CROWD[:20])) > 20 * 2_000 * 4
    assert room_for_comments(of([])) > 20 * 2_000 * 3


def test_should_refuse_names_that_no_outcome_could_hold_with_the_sizes() -> None:
    with pytest.raises(InvalidRequest) as refused:
        of([f"{number:03}{'x' * 150}" for number in range(500)])
    assert str(refused.value) == (
        "approvers: are 500 people whose names take 77,500 characters, a record takes 72,000: "
        "name fewer, or use shorter names"
    )


def test_should_refuse_people_who_stand_on_the_row_too_often() -> None:
    people = [f"{number:03}{'x' * 139}" for number in range(500)]
    quorum = Quorum.of({"one": 1, "two": 1}).with_people(lambda _: people)
    with pytest.raises(InvalidRequest, match=r"^approvers: are 500 people who take \d+,\d+ bytes"):
        of(people, policy=Policy(quorum=quorum))


def test_should_refuse_a_name_more_than_the_record_holds_and_keep_what_stands_there() -> None:
    """Each place of a request of two can be given to somebody with an ordinary name."""
    approval = of(["ann", "bob"], policy=EVERYONE)
    longest = "x" * 320
    approval = reassign(approval, declared("ann"), giver="ann", to="cid", now=LATER).after
    assert has_room_for_others(approval)
    crowd = of(CROWD, policy=EVERYONE)
    for number, giver in enumerate(CROWD[:52]):
        to = f"{number:03}{longest[3:]}"
        crowd = reassign(crowd, declared(giver), giver=giver, to=to, now=LATER).after
    with pytest.raises(RecordFull) as refused:
        reassign(crowd, declared(CROWD[-1]), giver=CROWD[-1], to=longest, now=LATER)
    assert str(refused.value) == (
        "the record has no room for one name more: one of those who are asked must answer this"
    )
    given_by = delegation(CROWD[-1], "y" * 320)
    with pytest.raises(RecordFull) as full:
        cast_vote(crowd, declared("y" * 320), "approved", "", now=LATER, delegations=[given_by])
    assert str(full.value) == (
        f"the record has no room for one name more: {CROWD[-1]} must answer this"
    )
    assert cast_vote(crowd, declared(CROWD[-1]), "approved", "", now=LATER) is not None
    assert cast_vote(crowd, declared(f"000{longest[3:]}"), "approved", "", now=LATER) is not None


@pytest.mark.parametrize(
    ("room", "earlier", "comment", "kept"),
    [
        (100, [], "x" * 100, "x" * 100),
        (100, [], "x" * 101, LEFT_OUT),
        (100, ["x" * 30], "x" * 71, LEFT_OUT),
        (100, ["x" * 30], "\u00e9" * 36, LEFT_OUT),
        (100, [LEFT_OUT], "x" * 100, "x" * 100),
        (0, [], "no longer than what would stand there", "no longer than what would stand there"),
        (0, [], "", ""),
    ],
)
def test_should_keep_what_fits(room: int, earlier: list[str], comment: str, kept: str) -> None:
    assert kept_comment(room, earlier, comment) == kept


def test_should_keep_every_comment_whole_in_the_trail_and_see_what_is_altered() -> None:
    opening = any_opening(request=any_request(approvers=CROWD), policy=EVERYONE)
    approval, trail = opening.after, [opening.event.to_dict()]
    for name in CROWD[:40]:
        said = f"{name} " + "\U0001f680" * 1_900
        voted = cast_vote(
            approval, declared(name), "approved", said, now=NOW + timedelta(minutes=1)
        )
        assert voted is not None
        approval = voted.after
        trail.append(voted.event.to_dict())
        assert trail[-1]["details"]["comments"] == said
    kept = [vote.comments for vote in approval.votes]
    assert 0 < kept.index(LEFT_OUT) < 20
    assert examine(trail, approval) == []
    first, *others = approval.votes
    hidden = replace(approval, votes=(replace(first, comments=LEFT_OUT), *others))
    assert examine(trail, hidden) != []
    *others, last = approval.votes
    altered = replace(approval, votes=(*others, replace(last, comments="yes")))
    assert "votes" in altered_end(altered, trail)
