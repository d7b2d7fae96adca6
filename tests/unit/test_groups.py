"""Names that stand for several people."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import expand, members_of

GROUPS = {"Finance leads": ["ann", "bob"], "nobody": [], "crowd": [f"a{n}" for n in range(20)]}


@pytest.mark.parametrize(
    ("names", "people"),
    [
        ([], ()),
        (["cid"], ("cid",)),
        (["finance  LEADS"], ("ann", "bob")),
        (["Bob", "Finance leads", "cid"], ("Bob", "ann", "cid")),
    ],
)
def test_should_ask_each_person_once(names: Sequence[str], people: tuple[str, ...]) -> None:
    assert expand(names, members_of(GROUPS), "approvers") == people


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["nobody"], "approvers: names the group 'nobody', which has no members"),
        (["crowd", "ann"], "approvers: must be at most 20, got 21"),
    ],
)
def test_should_refuse_a_group_that_cannot_be_asked(names: Sequence[str], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        expand(names, members_of(GROUPS), "approvers")
    assert str(refused.value) == message


def test_should_refuse_members_in_one_string() -> None:
    with pytest.raises(InvalidRequest, match="approvers: must be a list of names, got a string"):
        expand(["leads"], lambda _: "ann", "approvers")
