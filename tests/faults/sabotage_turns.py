"""Ways to break on purpose whose turn it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hitl_approval.domain import escalation, voting
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.ending import end
from hitl_approval.domain.permission import check_may_decide
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.turn import FIRST
from hitl_approval.usecases import decide

__all__ = [
    "_escalates_before_it_is_due",
    "_hands_over_a_place_that_has_answered",
    "_lets_who_was_asked_first_decide",
    "_opens_the_next_stage_by_any_approval",
    "_skips_the_later_stages",
    "_takes_back_what_a_stage_is_built_on",
]


@contextmanager
def _hands_over_a_place_that_has_answered() -> Iterator[None]:
    """One place then counts twice for the quorum, under two names."""

    def careless(approval: Approval, actor: Actor, **given: Any) -> Transition:
        transition = reassign(replace(approval, votes=()), actor, **given)
        return replace(transition, after=replace(transition.after, votes=approval.votes))

    with patch.object(decide, "reassign", careless):
        yield


@contextmanager
def _lets_who_was_asked_first_decide() -> Iterator[None]:
    """Whoever has been replaced since."""

    def check(approval: Approval, actor: Actor) -> None:
        check_may_decide(replace(approval, turn=FIRST), actor)

    with patch.object(voting, "check_may_decide", check):
        yield


@contextmanager
def _opens_the_next_stage_by_any_approval() -> Iterator[None]:
    evaluate = voting._evaluate

    def hasty(approval: Approval) -> str:
        more = approval.turn.stage < len(approval.policy.stages)
        return approval.votes[-1].decision if more else evaluate(approval)

    with patch.object(voting, "_evaluate", hasty):
        yield


@contextmanager
def _skips_the_later_stages() -> Iterator[None]:
    def over(voted: Approval, actor: Actor, *, now: datetime, details: Any) -> Transition:
        return end(voted, "approved", actor, "", now=now, details=details)

    with patch.object(voting, "open_stage", over):
        yield


@contextmanager
def _takes_back_what_a_stage_is_built_on() -> Iterator[None]:
    retract = voting.retract

    def careless(approval: Approval, actor: Actor, *, now: datetime) -> Transition | None:
        turn = replace(approval.turn, passed=())
        taken = retract(replace(approval, turn=turn), actor, now=now)
        return taken and replace(taken, after=replace(taken.after, turn=approval.turn))

    with patch.object(decide, "retract", careless):
        yield


@contextmanager
def _escalates_before_it_is_due() -> Iterator[None]:
    escalates_at = escalation.escalates_at

    def early(approval: Approval) -> datetime | None:
        due = escalates_at(approval)
        return due and due - timedelta(minutes=1)

    with patch.object(escalation, "escalates_at", early):
        yield
