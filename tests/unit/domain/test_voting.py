"""The state machine of an approval: from each state, what each act leads to, or is refused by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import pytest

from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalError,
    ApprovalExpired,
)
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, declared

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
