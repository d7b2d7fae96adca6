"""Somebody else in an approver's place: who may give it, and to whom."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.errors import ApprovalError, Forbidden
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.stage import Stage
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared

OPENING = any_opening(
    request=any_request(approvers=["ann", "bob"]),
    policy=Policy(quorum=Quorum.everyone(), stages=(Stage(["eve"]),)),
)


def given(
    approval: Approval, to: str, *, by: str = "ann", giver: str = "ann", **rights: Any
) -> Transition:
    return reassign(approval, declared(by), giver=giver, to=to, now=NOW, **rights)


def test_should_ask_the_other_in_the_place_of_the_one() -> None:
    first = given(OPENING.after, "zoe", comments="I am away")
    assert first.after.asked == ("zoe", "bob")
    assert first.after.approvers == ("ann", "bob")
    assert first.after.content_digest == OPENING.after.content_digest
    with pytest.raises(Forbidden, match="ann is not asked any more: zoe, bob may answer now"):
        cast_vote(first.after, declared("ann"), "approved", "", now=NOW)
    second = given(first.after, "yan", by="zoe", giver="zoe")
    back = given(second.after, "Ann", by="yan", giver="yan")
    assert (second.after.asked, back.after.asked) == (("yan", "bob"), ("ann", "bob"))
    trail = [each.event.to_dict() for each in (OPENING, first, second, back)]
    assert examine(trail, back.after) == []
    assert examine(trail[:3], second.after) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"to": "rita"}, "to: 'rita' asked for this and cannot decide it"),
        ({"to": "BOB"}, "to: 'BOB' is asked already"),
        ({"to": "eve"}, "to: 'eve' is asked in a later stage"),
        ({"giver": "zoe", "to": "yan"}, "from: 'zoe' is not asked now"),
        ({"by": "bob"}, "bob cannot hand this over: ann or an operator can"),
        ({"by": "rita"}, "rita cannot hand this over"),
        ({"by": "omar", "to": "omar", "operators": ["omar"]}, "omar cannot take ann's place"),
        ({"by": "rita", "to": "rita", "requester_may": True}, "rita cannot take ann's place"),
    ],
)
def test_should_refuse(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ApprovalError, match=message):
        given(OPENING.after, **({"to": "zoe"} | change))


def test_should_let_an_operator_and_where_allowed_who_asked() -> None:
    assert given(OPENING.after, "zoe", by="omar", operators=["omar"]).after.asked[0] == "zoe"
    assert given(OPENING.after, "zoe", by="rita", requester_may=True).after.asked[0] == "zoe"


def test_should_not_take_from_or_give_to_who_has_answered() -> None:
    voted = cast_vote(OPENING.after, declared("ann"), "approved", "", now=NOW)
    assert voted is not None
    with pytest.raises(ApprovalError, match="from: 'ann' has answered already"):
        given(voted.after, "zoe")
    with pytest.raises(ApprovalError, match="to: 'ann' is asked already"):
        given(voted.after, "ann", by="bob", giver="bob")


def test_should_demand_a_verified_identity_where_the_policy_does() -> None:
    strict = any_opening(
        request=any_request(approvers=["ann"]), policy=Policy(require_verified_identity=True)
    ).after
    with pytest.raises(Forbidden, match="verified identities only"):
        given(strict, "zoe")


def test_should_count_the_place_for_its_group() -> None:
    quorum = Quorum.of({"one": 1, "two": 1}).with_people(
        {"one": ["ann"], "two": ["bob"]}.__getitem__
    )
    approval = any_opening(
        request=any_request(approvers=["ann", "bob"]), policy=Policy(quorum=quorum)
    ).after
    approval = given(approval, "zoe").after
    for name in ("zoe", "bob"):
        vote = cast_vote(approval, declared(name), "approved", "", now=NOW)
        assert vote is not None
        approval = vote.after
    assert approval.status == "approved"
