"""How many must approve, and of which groups."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.quorum import GroupQuorum, Quorum

BOTH = Quorum.of({"finance": 1, "security": 2}).with_people(
    {"finance": ["ann", "bob"], "security": ["bob", "cid", "dan"]}.__getitem__
)


@pytest.mark.parametrize(
    ("approved", "reached"),
    [
        ([], False),
        (["ann"], False),
        (["ann", "cid"], False),
        (["cid", "dan"], False),
        (["ann", "cid", "dan"], True),
        (["bob", "cid"], True),
        (["ANN", "cid", "dan"], True),
        (["ann", "eve", "eva"], False),
    ],
)
def test_should_need_so_many_of_each_group(approved: list[str], reached: bool) -> None:
    assert BOTH.reached(approved, BOTH.needed(approved)) is reached


def test_should_count_for_every_group_whom_an_escalation_asks() -> None:
    assert BOTH.reached(["eve", "cid"], 3, frozenset({"eve"}))
    assert not BOTH.reached(["eve"], 3, frozenset({"eve"}))


@pytest.mark.parametrize(
    "quorum", [Quorum.any_one(), Quorum.at_least(3), Quorum.everyone(), Quorum.of({"a": 2}), BOTH]
)
def test_should_come_back_as_it_was(quorum: Quorum) -> None:
    assert Quorum.from_dict(quorum.to_dict()) == quorum


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quorum": "most"}, "any_one, at_least, everyone or groups, got 'most'"),
        ({"quorum_count": True}, "quorum_count must be a whole number of at least 1, got True"),
        ({"quorum_groups": []}, "quorum_groups must be there for a quorum of groups"),
        ({"quorum": "at_least"}, "quorum_groups must be there for a quorum of groups"),
        ({"quorum_groups": [{"name": "a"}]}, "must be a list of names, counts and people"),
        ({"quorum_groups": 7}, "must be a list of names, counts and people"),
        (
            {"quorum_groups": [{"name": "a", "count": 0, "people": []}]},
            "must count at least 1 of each group, got 'a'",
        ),
    ],
)
def test_should_read_no_weaker_quorum(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Quorum.from_dict(BOTH.to_dict() | changed)


@pytest.mark.parametrize("counts", [{}, {"a": 0}, {"a": True}, {"": 1}, {7: 1}, ["a"], None])
def test_should_refuse_counts_that_are_none(counts: Any) -> None:
    with pytest.raises(ValueError, match="quorum"):
        Quorum.of(counts)


def test_should_refuse_a_group_that_is_too_small() -> None:
    lonely = Quorum("groups", 2, (GroupQuorum("security", 2, ("ann", "bob")),))
    lonely.check(["ann", "bob"])
    with pytest.raises(ValueError, match="2 approvals of 'security' but 1 of its members"):
        lonely.check(["ann"])
