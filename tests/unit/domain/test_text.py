"""Names: spellings that resemble each other are one person."""

from __future__ import annotations

import pytest

from hitl_approval.domain.text import person_key


@pytest.mark.parametrize(
    "other", ["BOB", " bob ", "bo\u200bb", "b\u2060ob", "\uff42\uff4f\uff42", "bob\ufeff"]
)
def test_should_take_spellings_that_look_alike_for_one_person(other: str) -> None:
    assert person_key(other) == person_key("bob")
