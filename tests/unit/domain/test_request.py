"""Every declared field of a request, over its declaration: a new field is covered by being there.

The threat: a value of a wrong type that is taken for "no value", and so for the default (anyone may
approve, one approval is enough), or that fails with a stack trace where a sentence is due."""

from __future__ import annotations

import typing
from collections.abc import Sequence

import pytest

from hitl_approval.domain.approval import digest_content
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.request import (
    CONTENT,
    Content,
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
