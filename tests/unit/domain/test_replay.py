"""What a trail says that its row must hold, whatever stands in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.replay import replayed
from hitl_approval.domain.room import LEFT_OUT
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.voting import cast_vote, retract
from tests.anything import NOW, any_opening, any_request, declared

SOON = NOW + timedelta(minutes=1)


def test_should_follow_a_request_through_its_trail() -> None:
    opening = any_opening(
        request=any_request(approvers=["ann", "bob"]),
        policy=Policy(rejections_needed=2, stages=(Stage(["cid", "dan"]),)),
    )
    approval, events = opening.after, [opening.event.to_dict()]
    steps: list[Any] = [
        lambda a: cast_vote(a, declared("bob"), "rejected", "no", now=SOON),
        lambda a: retract(a, declared("bob"), now=SOON),
        lambda a: reassign(a, declared("ann"), giver="ann", to="zoe", now=SOON),
        lambda a: cast_vote(a, declared("zoe"), "approved", "yes", now=SOON),
    ]
    for step in steps:
        transition = step(approval)
        approval = transition.after
        events.append(transition.event.to_dict())
        found = replayed(events, 10_000)
        assert found.turn == approval.turn.to_dict()
        assert [vote["approver"] for vote in found.votes] == [v.approver for v in approval.votes]
    assert found.turn["stage"] == 1
    assert found.expires_at == events[-1]["details"]["expires_at"]
    assert replayed(events, 0).votes[0]["comments"] == "yes"  # shorter than what would stand there


def test_should_say_that_a_comment_stands_elsewhere_where_there_is_no_room() -> None:
    opening = any_opening(request=any_request(approvers=["ann"]))
    vote = cast_vote(opening.after, declared("ann"), "approved", "x" * 200, now=SOON)
    assert vote is not None
    events = [opening.event.to_dict(), vote.event.to_dict()]
    assert replayed(events, 0).votes[0]["comments"] == LEFT_OUT
    assert replayed(events, 200).votes[0]["comments"] == "x" * 200


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": "reassigned", "details": None},
        {"event": "reassigned", "details": {"from": 7, "to": "ann"}},
        {"event": "voted", "details": {"decision": 1, "changes": 7}},
        {"event": "stage_opened", "details": []},
        {"event": "retracted", "actor": None},
    ],
)
def test_should_take_whatever_stands_there(event: dict[str, Any]) -> None:
    assert replayed([event, event], 0) is not None
