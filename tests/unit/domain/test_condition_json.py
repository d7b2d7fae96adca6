"""Conditions as JSON has them."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.condition import MAX_COMPARISONS, MAX_DEPTH, field, paths_of
from hitl_approval.domain.condition_json import condition_of


def test_should_survive_being_written_and_read() -> None:
    condition = ((field("a") < 1) & (field("b") == "x") & ~(field("c").is_in([1, 2]))) | (
        field("d").matches("e*")
    )
    assert condition_of(condition.to_json()) == condition
    assert condition.to_json() == {
        "any": [
            {
                "all": [
                    {"field": "a", "<": 1},
                    {"field": "b", "==": "x"},
                    {"not": {"field": "c", "in": [1, 2]}},
                ]
            },
            {"field": "d", "matches": "e*"},
        ]
    }
    assert paths_of(condition) == {"a", "b", "c", "d"}


def _nested(levels: int) -> Any:
    return {"field": "a", "==": 1} if not levels else {"all": [_nested(levels - 1)]}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (7, r"^when must be an object, got a number"),
        ({}, r"^when must have field and an operator, or one of all, any and not alone"),
        ({"all": [], "any": []}, r"^when must have field and an operator"),
        ({"maybe": []}, r"^when must have field and an operator"),
        ({"all": []}, r"^when\.all must be a list of at least one condition"),
        ({"any": {"field": "a", "==": 1}}, r"^when\.any must be a list"),
        ({"all": [{"field": "a"}]}, r"^when\.all\[0\] must have, beside field, one of =="),
        ({"field": "a", "==": 1, "<": 2}, r"^when must have, beside field, one of"),
        ({"field": "a", "~": 1}, r"^when must have, beside field, one of"),
        ({"not": {"field": "a", "<": "b"}}, r"^when\.not: field 'a': < takes a number, got a str"),
        ({"field": ["a"], "==": 1}, r"^when: field must be a name"),
        (_nested(MAX_DEPTH), "nested more than 10 deep"),
        ({"all": [_nested(0)] * (MAX_COMPARISONS + 1)}, "at most 100 comparisons, got 101"),
    ],
)
def test_should_say_where_json_is_malformed(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        condition_of(values)
