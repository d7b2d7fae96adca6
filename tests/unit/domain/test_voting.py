"""The state machine of an approval: from each state, what each act leads to, or is refused by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval, Decision, Transition
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalError,
    ApprovalExpired,
    Forbidden,
)
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.voting import cast_vote, retract
from tests.anything import NOW, any_approval, any_opening, any_request, declared

SOON = NOW + timedelta(minutes=1)
LATE = NOW + timedelta(hours=2)
STAYS = None
"""Nothing is written: the act has been done before, or there is nothing to do."""

Act = Callable[[Approval, datetime], Transition | None]
Outcome = str | type[ApprovalError] | None

ACTS: Mapping[str, Act] = {
    "bob approves": lambda a, now: cast_vote(a, declared("bob"), "approved", "", now=now),
    "bob rejects": lambda a, now: cast_vote(a, declared("bob"), "rejected", "", now=now),
    "ann approves": lambda a, now: cast_vote(a, declared("ann"), "approved", "", now=now),
    "rita withdraws": lambda a, now: cancel(a, declared("rita"), "", now=now),
    "time passes": lambda a, now: expire(a, now=now),
}


def after(act: str, now: datetime) -> Approval:
    """A request that stands as this act leaves it."""
    transition = ACTS[act](any_approval(), now)
    assert transition is not None
    return transition.after


STATES: Mapping[str, tuple[Callable[[], Approval], datetime]] = {
    "pending": (any_approval, SOON),
    "past its expiry": (any_approval, LATE),
    "approved by bob": (lambda: after("bob approves", SOON), SOON),
    "rejected by bob": (lambda: after("bob rejects", SOON), SOON),
    "timed out": (lambda: after("time passes", LATE), LATE),
    "cancelled": (lambda: after("rita withdraws", SOON), SOON),
}

NEXT: Mapping[str, tuple[Outcome, ...]] = {
    # in the order of ACTS
    "pending": ("approved", "rejected", "approved", "cancelled", STAYS),
    "past its expiry": (
        ApprovalExpired,
        ApprovalExpired,
        ApprovalExpired,
        ApprovalExpired,
        "timeout",
    ),
    "approved by bob": (STAYS, AlreadyDecided, AlreadyDecided, AlreadyDecided, STAYS),
    "rejected by bob": (AlreadyDecided, STAYS, AlreadyDecided, AlreadyDecided, STAYS),
    "timed out": (ApprovalExpired, ApprovalExpired, ApprovalExpired, ApprovalExpired, STAYS),
    "cancelled": (AlreadyDecided, AlreadyDecided, AlreadyDecided, STAYS, STAYS),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("state", STATES)
def test_should_lead_from_each_state_by_each_act_to_the_next(state: str, act: str) -> None:
    make, now = STATES[state]
    before = make()
    expected = NEXT[state][list(ACTS).index(act)]

    if isinstance(expected, type):
        with pytest.raises(expected):
            ACTS[act](before, now)
        return
    transition = ACTS[act](before, now)
    if expected is STAYS:
        assert transition is None
        return
    assert transition is not None
    assert transition.after.status == transition.event.event == expected
    assert transition.after.version == before.version + 1
    assert transition.event.sequence == before.audit_sequence + 1
    assert transition.after.audit_hash == transition.event.hash


def test_should_take_an_answer_until_the_expiry_and_not_at_it() -> None:
    approval, bob = any_approval(), declared("bob")
    last = approval.expires_at - timedelta(microseconds=1)

    assert cast_vote(approval, bob, "approved", "", now=last)
    assert cancel(approval, declared("rita"), "", now=last)
    assert expire(approval, now=last) is None
    with pytest.raises(ApprovalExpired):
        cast_vote(approval, bob, "approved", "", now=approval.expires_at)
    with pytest.raises(ApprovalExpired):
        cancel(approval, declared("rita"), "", now=approval.expires_at)


STAGED = Policy(
    stages=(
        Stage(["cid", "dan"], Quorum.at_least(2), timedelta(hours=3)),
        Stage(["eve"], timeout=timedelta(hours=1)),
    )
)


def stepped(opening: Transition, *steps: str) -> tuple[Approval, list[Transition]]:
    """A request after these people have answered; who says no is written with a minus."""
    approval, made = opening.after, [opening]
    for number, who in enumerate(steps, start=1):
        now = NOW + timedelta(minutes=number)
        if who.endswith(" back"):
            transition = retract(approval, declared(who.removesuffix(" back")), now=now)
        else:
            said: Decision = "rejected" if who.startswith("-") else "approved"
            transition = cast_vote(approval, declared(who.lstrip("-")), said, "", now=now)
        assert transition is not None
        made.append(transition)
        approval = transition.after
    return approval, made


def staged() -> Transition:
    return any_opening(request=any_request(approvers=["ann", "bob"]), policy=STAGED)


@pytest.mark.parametrize(
    ("steps", "status", "asked"),
    [
        (["ann"], "pending", ("cid", "dan")),
        (["-ann"], "rejected", ("ann", "bob")),
        (["ann", "cid"], "pending", ("cid", "dan")),
        (["ann", "cid", "dan"], "pending", ("eve",)),
        (["ann", "cid", "-dan"], "rejected", ("cid", "dan")),
        (["ann", "cid", "dan", "eve"], "approved", ("eve",)),
        (["ann", "cid", "cid back", "cid", "dan", "-eve"], "rejected", ("eve",)),
    ],
)
def test_should_ask_stage_by_stage(steps: list[str], status: str, asked: tuple[str, ...]) -> None:
    approval, made = stepped(staged(), *steps)
    assert (approval.status, approval.asked) == (status, asked)
    assert examine([each.event.to_dict() for each in made], approval) == []


def test_should_give_each_stage_its_own_time() -> None:
    approval, made = stepped(staged(), "ann")
    assert approval.expires_at == NOW + timedelta(minutes=1, hours=3)
    assert made[-1].event.event == "stage_opened"
    assert made[-1].event.details["to"] == ["cid", "dan"]
    assert made[-1].event.details["released"] == ["bob"]
    ended = expire(approval, now=approval.expires_at)
    assert ended is not None
    assert ended.after.status == "timeout"


def test_should_let_nobody_answer_out_of_turn_or_twice() -> None:
    first, _ = stepped(staged())
    second, _ = stepped(staged(), "ann")
    for approval, name in ((first, "cid"), (first, "eve"), (second, "bob"), (second, "eve")):
        with pytest.raises(Forbidden):
            cast_vote(approval, declared(name), "approved", "", now=SOON)
    assert cast_vote(second, declared("ann"), "approved", "", now=SOON) is None
    with pytest.raises(AlreadyDecided, match="ann has already approved"):
        cast_vote(second, declared("ann"), "rejected", "", now=SOON)


def test_should_take_a_vote_back_until_it_has_been_acted_on() -> None:
    two = any_opening(
        request=any_request(approvers=["ann", "bob", "cid"]),
        policy=Policy(quorum=Quorum.at_least(2)),
    )
    approval, made = stepped(two, "ann", "ann back", "bob")
    assert [vote.approver for vote in approval.votes] == ["bob"]
    assert examine([each.event.to_dict() for each in made], approval) == []
    assert retract(approval, declared("ann"), now=SOON) is None
    second, _ = stepped(staged(), "ann")
    with pytest.raises(Forbidden, match="the next stage has begun on this vote"):
        retract(second, declared("ann"), now=SOON)
    ended, _ = stepped(two, "ann", "bob")
    with pytest.raises(AlreadyDecided):
        retract(ended, declared("ann"), now=SOON)
