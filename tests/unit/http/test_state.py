"""Who may still answer: one decision, whether a link is followed or somebody has signed in."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.permission import check_may_decide
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.voting import cast_vote
from hitl_approval.http.state import State, opened
from tests.anything import NOW, any_opening, any_request

ANN, BOB, RITA = "ann@example.com", "bob@example.com", "rita@example.com"
SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(days=400)


def record(**policy: Any) -> Approval:
    """Pending; Ann and Bob are asked, and both must approve."""
    request = any_request(approvers=(ANN, BOB), requester=RITA)
    rules = Policy(quorum=Quorum.everyone(), **policy)
    return any_opening(request=request, policy=rules, now=NOW).after


def voted(approval: Approval, name: str, decision: str) -> Approval:
    actor = Actor(name, "jwt")
    assert decision in {"approved", "rejected"}
    transition = cast_vote(approval, actor, decision, "", now=SOON)  # type: ignore[arg-type]
    assert transition
    return transition.after


def expired(approval: Approval) -> Approval:
    transition = expire(approval, now=LATER)
    assert transition
    return transition.after


def withdrawn(approval: Approval) -> Approval:
    transition = cancel(approval, Actor(RITA, "jwt"), "", now=SOON)
    assert transition
    return transition.after


@pytest.mark.parametrize("identity", ["link", "jwt"])
@pytest.mark.parametrize(
    ("approval", "later", "state"),
    [
        (record(), False, "open"),
        (record(), True, "expired"),
        (voted(record(), ANN, "approved"), False, "answered"),
        (voted(record(), ANN, "approved"), True, "answered"),
        (voted(record(), BOB, "approved"), False, "open"),
        (voted(record(), BOB, "rejected"), False, "decided"),
        (voted(record(), BOB, "rejected"), True, "decided"),
        (expired(record()), False, "expired"),
        (expired(voted(record(), ANN, "approved")), False, "answered"),
        (withdrawn(record()), False, "decided"),
    ],
)
def test_should_be_the_same_by_link_and_by_sign_in(
    approval: Approval, later: bool, state: State, identity: Identity
) -> None:
    shown = opened(approval, Actor(ANN, identity), now=LATER if later else SOON)
    assert shown.state == state
    assert shown.may_answer is (state == "open")
    assert (shown.vote is not None) is (state == "answered")


@pytest.mark.parametrize("identity", ["declared", "iam", "jwt", "link"])
@pytest.mark.parametrize("name", [ANN, RITA, "cid@example.com"])
@pytest.mark.parametrize(
    "approval", [record(), record(allow_self_approval=True), record(require_verified_identity=True)]
)
def test_should_offer_a_form_exactly_to_whom_the_policy_lets_decide(
    approval: Approval, name: str, identity: Identity
) -> None:
    actor = Actor(name, identity)
    try:
        check_may_decide(approval, actor)
        cast_vote(approval, actor, "approved", "", now=SOON)
        allowed = True
    except ApprovalError:
        allowed = False
    assert opened(approval, actor, now=SOON).may_answer is allowed


def test_should_offer_a_form_only_where_a_vote_would_count() -> None:
    records = [
        record(),
        voted(record(), ANN, "approved"),
        voted(record(), BOB, "rejected"),
        expired(record()),
        withdrawn(record()),
    ]
    for approval, now, name in product(records, (SOON, LATER), (ANN, BOB, RITA)):
        actor = Actor(name, "jwt")
        if not opened(approval, actor, now=now).may_answer:
            continue
        assert cast_vote(approval, actor, "approved", "", now=now)


class TestStandingIn:
    def given(self, **fields: Any) -> Delegation:
        return Delegation(
            giver=ANN,
            to="cid@example.com",
            starts_at=NOW,
            until=LATER,
            given_by=ANN,
            identity="jwt",
            at=NOW,
            **fields,
        )

    def test_should_be_open_to_who_stands_in_and_say_for_whom(self) -> None:
        cid = Actor("cid@example.com", "jwt")
        seen = opened(record(), cid, now=SOON, given=self.given())
        assert (seen.state, seen.on_behalf_of) == ("open", ANN)
        assert opened(record(), cid, now=SOON).state == "onlooker"

    def test_should_offer_nothing_once_the_place_is_answered(self) -> None:
        cid = Actor("cid@example.com", "jwt")
        by_cid = cast_vote(record(), cid, "approved", "", now=SOON, delegations=[self.given()])
        assert by_cid
        assert opened(by_cid.after, Actor(ANN, "jwt"), now=SOON).state == "onlooker"
        assert opened(by_cid.after, cid, now=SOON, given=None).state == "answered"
        by_ann = voted(record(), ANN, "approved")
        seen = opened(by_ann, cid, now=SOON, given=self.given())
        assert (seen.state, seen.on_behalf_of) == ("onlooker", None)

    def test_should_not_be_open_to_a_typed_name_where_none_will_do(self) -> None:
        approval = record(require_verified_identity=True)
        seen = opened(approval, Actor("cid@example.com", "declared"), now=SOON, given=self.given())
        assert (seen.state, seen.on_behalf_of) == ("onlooker", None)
