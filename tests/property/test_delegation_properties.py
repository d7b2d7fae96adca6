"""Whoever answers for whomever: nobody counts twice, and nobody answers for who asked."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hitl_approval.domain.agreement import examine
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.person import may_be_one
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.text import person_key
from hitl_approval.domain.voting import cast_vote, may_still_answer
from tests.anything import NOW, any_opening, any_request, declared

PEOPLE = st.sampled_from(["ann", "Ann", "ann\u200b", "bob", "cid", "dan", "rita", "Rita"])
GIVEN = st.lists(st.tuples(PEOPLE, PEOPLE), max_size=6)
ASKED = st.lists(st.sampled_from(["ann", "bob", "cid", "rita"]), min_size=2, unique=True)
ACTS = st.lists(
    st.tuples(PEOPLE, st.sampled_from(["approved", "approved", "rejected"])), max_size=9
)


@given(asked=ASKED, delegations=GIVEN, acts=ACTS, own=st.booleans())
def test_should_count_each_person_once_and_nobody_for_who_asked(
    asked: list[str],
    delegations: list[tuple[str, str]],
    acts: list[tuple[str, str]],
    own: bool,
) -> None:
    known = [
        Delegation(
            giver=giver,
            to=to,
            starts_at=NOW,
            until=NOW + timedelta(days=1),
            given_by=giver,
            identity="jwt",
            at=NOW,
        )
        for giver, to in delegations
    ]
    policy = Policy(quorum=Quorum.everyone(), allow_self_approval=own)
    opening = any_opening(request=any_request(approvers=asked), policy=policy)
    approval, trail = opening.after, [opening.entry]
    for who, decision in acts:
        with suppress(ApprovalError):
            cast = cast_vote(
                approval,
                declared(who),
                decision,  # type: ignore[arg-type]
                "",
                now=NOW + timedelta(minutes=1),
                delegations=known,
            )
            if cast is not None:
                approval, trail = cast.after, [*trail, cast.entry]
    people = [{person_key(vote.approver), person_key(vote.asked)} for vote in approval.votes]
    assert len(set().union(*people)) == sum(map(len, people))
    for vote in approval.votes:
        assert vote.asked in approval.asked or vote.on_behalf_of is None
        if vote.on_behalf_of:
            assert not may_be_one(vote.on_behalf_of, "rita")
            assert not may_be_one(vote.approver, "rita")
            assert person_key(vote.approver) not in {person_key(name) for name in asked}
    if approval.status == "approved":
        assert {person_key(vote.asked) for vote in approval.votes} == {
            person_key(name) for name in approval.deciders
        }
    assert not {person_key(name) for name in may_still_answer(approval)} & approval.answered
    assert examine(trail, approval) == []
