"""Quorums that can be reached, and policies that survive storage."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.policy import Policy, Quorum


@pytest.mark.parametrize("count", [0, -1, True, "2", 1.5])
def test_should_refuse_a_quorum_of_less_than_one(count: Any) -> None:
    with pytest.raises(ValueError, match="quorum needs at least 1 approval, got"):
        Quorum.at_least(count)


def test_should_refuse_a_quorum_that_cannot_be_reached() -> None:
    with pytest.raises(
        ValueError, match=r"quorum needs 3 approvals but 2 approvers are configured: \['a', 'b'\]"
    ):
        Quorum.at_least(3).check(["a", "b"])


def test_should_refuse_everyone_of_nobody() -> None:
    with pytest.raises(ValueError, match="no approvers are configured"):
        Quorum.everyone().check([])


@pytest.mark.parametrize("quorum", [Quorum.any_one(), Quorum.at_least(2), Quorum.everyone()])
def test_should_survive_storage(quorum: Quorum) -> None:
    policy = Policy(quorum=quorum, require_verified_identity=True)
    assert Policy.from_dict(policy.to_dict()) == policy


@pytest.mark.parametrize("rule", list(Policy().to_dict()))
def test_should_refuse_a_stored_policy_with_a_rule_missing(rule: str) -> None:
    values = Policy().to_dict()
    del values[rule]
    with pytest.raises(KeyError):
        Policy.from_dict(values)
