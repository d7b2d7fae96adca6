"""Every declared field of a request, over its declaration: a new field is covered by being there.

The threat: a value of a wrong type that is taken for "no value", and so for the default (anyone may
approve, one approval is enough), or that fails with a stack trace where a sentence is due."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

import pytest

from hitl_approval.domain.approval import digest_content
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.request import (
    CONTENT,
    MAX_CONTEXT_DEPTH,
    Content,
    check_choice,
    expand,
    members_of,
)
from hitl_approval.domain.view import summary
from hitl_approval.testing import in_memory
from tests.anything import any_approval, any_opening, any_request


@pytest.mark.parametrize("name", CONTENT)
def test_should_repeat_a_text_wherever_the_record_is_shown(name: str) -> None:
    world = in_memory()
    texts = {name: "Tell this"}
    opening = any_opening(request=any_request(**texts), now=world.clock.now())
    stored = world.store.create(opening)
    assert getattr(stored, name) == "Tell this"
    assert summary(stored)[name] == "Tell this"
    assert f"{CONTENT[name].label:<11}Tell this" in approval_needed(stored).body


@pytest.mark.parametrize("name", CONTENT)
def test_should_digest_every_text_that_is_set(name: str) -> None:
    one, another = (any_approval(request=any_request(**{name: text})) for text in ("one", "two"))
    assert digest_content(one) != digest_content(another)


def test_should_keep_the_digest_that_stands_on_record_when_a_text_is_not_set() -> None:
    assert any_approval().content_digest == DIGEST


def test_should_hold_nothing_but_texts_in_the_content() -> None:
    hints = typing.get_type_hints(Content)
    assert set(hints.values()) <= {str, str | None}


DIGEST = "3d0e61d23ec796f45267790a4a79dcf4d0ed4fd45bafbfea85f5f7426fc659e3"
"""Of `any_approval()`, as the first version wrote it."""

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


def nested(levels: int) -> dict[str, Any]:
    value: Any = "x"
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


def test_should_refuse_a_context_that_nobody_could_read_or_print() -> None:
    assert any_request(context=nested(MAX_CONTEXT_DEPTH)).context
    for levels in (MAX_CONTEXT_DEPTH + 1, 4_000):
        with pytest.raises(InvalidRequest, match="context: must be nested at most 32 deep"):
            any_request(context=nested(levels))


@pytest.mark.parametrize("name", ["hitl-approval", " HITL-Approval ", "\uff48itl-approval"])
@pytest.mark.parametrize("field", ["requester", "approvers"])
def test_should_keep_the_systems_own_name_for_itself(name: str, field: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{field}: must not be hitl-approval"):
        any_request(**{field: [name] if field == "approvers" else name})


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
