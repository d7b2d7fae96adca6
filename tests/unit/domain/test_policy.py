"""Quorums that can be reached, and policies that survive storage."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.policy import OnTimeout, Policy
from hitl_approval.domain.quorum import Quorum


@pytest.mark.parametrize("count", [0, -1, True, "2", 1.5])
def test_should_refuse_a_quorum_of_less_than_one(count: Any) -> None:
    with pytest.raises(ValueError, match="quorum needs at least 1 approval, got"):
        Quorum.at_least(count)


def test_should_refuse_a_quorum_that_cannot_be_reached() -> None:
    with pytest.raises(
        ValueError, match=r"quorum needs 3 approvals but 2 approvers are configured: \['a', 'b'\]"
    ):
        Quorum.at_least(3).check(["a", "b"])


@pytest.mark.parametrize(
    ("quorum", "rejections", "fits"), [(20, 1, True), (21, 1, False), (15, 6, True), (15, 7, False)]
)
def test_should_refuse_more_votes_of_anybody_than_a_record_holds(
    quorum: int, rejections: int, fits: bool
) -> None:
    policy = Policy(quorum=Quorum.at_least(quorum), rejections_needed=rejections)
    if fits:
        policy.check(())
        return
    with pytest.raises(ValueError, match="may take 21 votes, a record holds 20: need fewer"):
        policy.check(())


def test_should_refuse_everyone_of_nobody() -> None:
    with pytest.raises(ValueError, match="no approvers are configured"):
        Quorum.everyone().check([])


@pytest.mark.parametrize("quorum", [Quorum.any_one(), Quorum.at_least(2), Quorum.everyone()])
def test_should_survive_storage(quorum: Quorum) -> None:
    policy = Policy(quorum=quorum, rejections_needed=2, on_timeout=OnTimeout.reject())
    assert Policy.from_dict(policy.to_dict()) == policy


@pytest.mark.parametrize("rule", list(Policy().to_dict()))
def test_should_refuse_a_stored_policy_with_a_rule_missing(rule: str) -> None:
    values = Policy().to_dict()
    del values[rule]
    with pytest.raises(ValueError, match=f"^{rule} is missing$"):
        Policy.from_dict(values)


@pytest.mark.parametrize("needed", [0, -1, True, "2"])
def test_should_refuse_less_than_one_rejection(needed: Any) -> None:
    with pytest.raises(ValueError, match="rejections_needed must be at least 1, got"):
        Policy(rejections_needed=needed).check([])


def test_should_refuse_more_rejections_than_there_are_approvers() -> None:
    with pytest.raises(ValueError, match=r"rejections_needed is 3 but 2 approvers are configured"):
        Policy(rejections_needed=3).check(["a", "b"])


@pytest.mark.parametrize(
    ("policy", "deciders", "approvals", "rejections", "outcome"),
    [
        (Policy(), 0, 0, 0, "pending"),
        (Policy(), 0, 1, 0, "approved"),
        (Policy(), 3, 2, 1, "rejected"),
        (Policy(quorum=Quorum.at_least(2)), 3, 1, 0, "pending"),
        (Policy(quorum=Quorum.at_least(2)), 3, 2, 0, "approved"),
        (Policy(quorum=Quorum.at_least(2), rejections_needed=2), 3, 1, 1, "pending"),
        (Policy(quorum=Quorum.at_least(2), rejections_needed=2), 3, 2, 1, "approved"),
        (Policy(quorum=Quorum.at_least(2), rejections_needed=2), 3, 1, 2, "rejected"),
        (Policy(quorum=Quorum.everyone(), rejections_needed=2), 3, 0, 1, "rejected"),
        (Policy(quorum=Quorum.at_least(2), rejections_needed=3), 3, 0, 2, "rejected"),
        (Policy(quorum=Quorum.at_least(2), rejections_needed=3), 0, 0, 2, "pending"),
        (Policy(quorum=Quorum.everyone()), 2, 2, 0, "approved"),
    ],
)
def test_should_count_people_until_the_outcome_is_certain(
    policy: Policy, deciders: int, approvals: int, rejections: int, outcome: str
) -> None:
    names = [f"approver-{number}" for number in range(deciders)]
    became = policy.outcome(
        [f"approver-{number}" for number in range(approvals)],
        rejections=rejections,
        left=names[approvals + rejections :] if names else None,
        needed=policy.quorum.needed(names),
    )
    assert became == outcome


def test_should_leave_the_requester_out_of_those_who_decide() -> None:
    assert Policy().deciders(["ann", "Bob"], "bob") == ("ann",)
    assert Policy(allow_self_approval=True).deciders(["ann", "Bob"], "bob") == ("ann", "Bob")
