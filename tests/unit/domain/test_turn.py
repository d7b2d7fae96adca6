"""Whose turn it is, from whom it was first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.domain.turn import FIRST, Turn, asked, check_reachable, place_of
from tests.anything import NOW

HOUR = timedelta(hours=1)
PEOPLE = ("ann", "bob")
ADD = Escalate(HOUR, ["cid", "Bob"])
REPLACE = Escalate(2 * HOUR, ["dan"], "replace")
LATER = Stage(["eve", "fay"])


@pytest.mark.parametrize(
    ("policy", "turn", "people"),
    [
        (Policy(), FIRST, ("ann", "bob")),
        (Policy(escalation=(ADD, REPLACE)), Turn(escalations=1), ("ann", "bob", "cid")),
        (Policy(escalation=(ADD, REPLACE)), Turn(escalations=2), ("dan",)),
        (Policy(), Turn(handed_over=(("ann", "zoe"),)), ("zoe", "bob")),
        (Policy(escalation=(ADD,)), Turn(escalations=1, handed_over=(("cid", "zoe"),)),
         ("ann", "bob", "zoe")),
        (Policy(stages=(LATER,)), Turn(stage=1), ("eve", "fay")),
        (Policy(stages=(LATER,), escalation=(ADD,)), Turn(stage=1, escalations=1),
         ("eve", "fay", "cid", "Bob")),
        # Who is asked in a later stage answers there, once.
        (Policy(stages=(LATER,), escalation=(Escalate(HOUR, ["eve"], "replace"),)),
         Turn(escalations=1), ("ann", "bob")),
    ],
)  # fmt: skip
def test_should_ask(policy: Policy, turn: Turn, people: tuple[str, ...]) -> None:
    assert asked(PEOPLE, policy, turn) == people


def test_should_know_whose_place_somebody_holds() -> None:
    turn = Turn(handed_over=(("ann", "zoe"),))
    assert [place_of(name, turn) for name in ("zoe", "ZOE", "bob")] == ["ann", "ann", "bob"]


@pytest.mark.parametrize(
    "turn",
    [
        FIRST,
        Turn(stage=2, since=9, opened_at=NOW, passed=(1, 3), escalations=1),
        Turn(handed_over=(("ann", "zoe"), ("bob", "yan"))),
    ],
)
def test_should_come_back_as_it_was(turn: Turn) -> None:
    assert Turn.from_dict(turn.to_dict()) == turn


@pytest.mark.parametrize("values", [{"stage": "1"}, {"escalations": -1}, {"handed_over": ["x"]}])
def test_should_refuse_what_is_none(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Turn.from_dict(values)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Policy(stages=(Stage(["rita"]),)), "name only the requester"),
        (Policy(stages=(Stage(["eve"], Quorum.at_least(2)),)), "quorum needs 2 approvals but 1"),
        (Policy(rejections_needed=2, stages=(Stage(["eve"]),)), "rejections_needed is 2 but 1"),
        (
            Policy(quorum=Quorum.at_least(2), escalation=(REPLACE,)),
            r"after step 1 of the escalation only \['dan'\] may decide",
        ),
        (
            Policy(escalation=(Escalate(HOUR, ["rita"], "replace"),)),
            r"after step 1 of the escalation only \[\] may decide",
        ),
    ],
)
def test_should_refuse_what_nobody_could_approve(policy: Policy, message: str) -> None:
    check_reachable(PEOPLE, Policy(escalation=(ADD, REPLACE), stages=(LATER,)), "rita")
    with pytest.raises(ValueError, match=message):
        check_reachable(PEOPLE, policy, "rita")
