"""Whom names stand for, and who may be named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.naming import check_choice, expand, members_of

GROUPS = {"Finance leads": ["ann", "bob"], "nobody": [], "crowd": [f"a{n}" for n in range(500)]}


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
        (["crowd", "ann"], "approvers: must be at most 500, got 501"),
    ],
)
def test_should_refuse_a_group_that_cannot_be_asked(names: Sequence[str], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        expand(names, members_of(GROUPS), "approvers")
    assert str(refused.value) == message


def test_should_refuse_members_in_one_string() -> None:
    with pytest.raises(InvalidRequest, match="approvers: must be a list of names, got a string"):
        expand(["leads"], lambda _: "ann", "approvers")


def test_should_let_a_request_choose_among_whom_the_deployment_names() -> None:
    known: dict[str, Any] = {"approvers": ["ann", "leads"], "groups": {"leads": ["bob", "cid"]}}
    for people in ([], ["ANN"], ["cid", "bob"], ["ann", "bob", "cid"]):
        check_choice(people, **known)
    check_choice(["eve"], approvers=[], groups={})
    for people in (["eve"], ["ann", "eve"], ["ann\u200b"], ["leads\u200b"]):
        with pytest.raises(InvalidRequest, match="whom this deployment does not: name one or more"):
            check_choice(people, **known)
    check_choice(["bob"], approvers=[], groups=known["groups"])
    with pytest.raises(InvalidRequest, match="leads, bob, cid, or deploy with"):
        check_choice(["ann"], approvers=[], groups=known["groups"])


def test_should_name_only_some_of_many_who_may_be_asked() -> None:
    many = [f"person-{number}" for number in range(20)]
    with pytest.raises(InvalidRequest, match="person-9 and 10 more, or"):
        check_choice(["eve"], approvers=many, groups={})
