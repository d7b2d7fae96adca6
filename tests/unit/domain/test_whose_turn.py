"""Whose turn it is, as callers see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.escalation import escalate
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.view import view
from hitl_approval.domain.voting import cast_vote
from hitl_approval.domain.whose_turn import votes_by_stage, whose_turn
from tests.anything import NOW, any_approval, any_request, declared

STAGES = (
    Stage(["bob", "cid"], Quorum.everyone(), timedelta(minutes=90)),
    Stage(["dan"], timeout=timedelta(hours=1)),
)


def approved_by(approval: Approval, *names: str) -> Approval:
    for name in names:
        voted = cast_vote(approval, declared(name), "approved", "", now=NOW)
        assert voted is not None
        approval = voted.after
    return approval


def any_staged(**fields: Any) -> Approval:
    request = any_request(approvers=["ann"])
    return any_approval(request=request, policy=Policy(stages=STAGES, **fields))


def test_should_say_nothing_where_nothing_of_it_is_used() -> None:
    approval = any_approval(request=any_request(approvers=["ann"]))
    assert whose_turn(approval) == {}
    assert not {"stages", "escalation", "handed_over"} & view(approval).keys()


def test_should_say_which_stage_is_open_and_who_has_voted_in_each() -> None:
    approval = approved_by(any_staged(), "ann", "cid")
    first, second, third = whose_turn(approval)["stages"]
    assert (first["state"], second["state"], third["state"]) == (
        "approved", "pending", "not_asked",
    )  # fmt: skip
    assert first["votes"] == [{"approver": "ann", "decision": "approved"}]
    assert second["votes"] == [{"approver": "cid", "decision": "approved"}]
    assert (third["approvers"], third["votes"]) == (["dan"], [])
    assert (second["quorum_needed"], second["timeout_seconds"]) == (2, 5_400)
    assert "timeout_seconds" not in first


@pytest.mark.parametrize(
    ("decision", "states"),
    [
        ("approved", ["approved", "approved", "pending"]),
        ("rejected", ["approved", "rejected", "not_asked"]),
    ],
)
def test_should_say_how_the_stage_of_the_last_vote_ended(decision: Any, states: list[str]) -> None:
    approval = approved_by(any_staged(), "ann", "cid")
    voted = cast_vote(approval, declared("bob"), decision, "", now=NOW)
    assert voted is not None
    assert [stage["state"] for stage in whose_turn(voted.after)["stages"]] == states


def test_should_tell_the_votes_of_three_stages_apart() -> None:
    approval = approved_by(any_staged(), "ann", "cid", "bob", "dan")
    assert approval.status == "approved"
    names = [[vote.approver for vote in votes] for votes in votes_by_stage(approval)]
    assert names == [["ann"], ["cid", "bob"], ["dan"]]


def test_should_say_when_each_step_is_due_and_which_was_taken() -> None:
    steps = (
        Escalate(timedelta(minutes=20), ["leads"]),
        Escalate(timedelta(minutes=40), ["cfo"], "replace"),
        Escalate(timedelta(hours=2), ["ceo"]),  # after the expiry
    )
    approval = any_approval(request=any_request(approvers=["ann"]), policy=Policy(escalation=steps))
    taken = escalate(approval, now=NOW + timedelta(minutes=21))
    assert taken is not None
    said = whose_turn(taken.after)["escalation"]
    assert [(step["taken"], step["due_at"]) for step in said] == [
        (True, "2026-01-02T03:24:05.000Z"),
        (False, "2026-01-02T03:44:05.000Z"),
        (False, None),
    ]
    assert (said[1]["to"], said[1]["mode"], said[1]["after_seconds"]) == (["cfo"], "replace", 2_400)
    ended = approved_by(taken.after, "ann")
    assert [step["due_at"] is None for step in whose_turn(ended)["escalation"]] == [
        False, True, True,
    ]  # fmt: skip


def test_should_say_who_has_taken_whose_place() -> None:
    approval = any_approval(request=any_request(approvers=["ann", "bob"]))
    given = reassign(approval, declared("ann"), giver="ann", to="zoe", now=NOW).after
    assert whose_turn(given) == {"handed_over": [{"from": "ann", "to": "zoe"}]}
    assert whose_turn(replace(given, turn=approval.turn)) == {}
