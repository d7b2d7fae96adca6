"""A context as rows that a person can read, however strange it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.http.fields import MAX_DEPTH, MAX_FIELDS, MAX_VALUE, Field, readable


def shown(context: dict[str, Any]) -> tuple[Field, ...]:
    return readable(json.dumps(context)).fields


@pytest.mark.parametrize(
    ("value", "text"),
    [("ü", "ü"), (7.5, "7.5"), (None, "none"), (True, "yes"), ([], "[]"), ("a\r\nb", "a\nb")],
)
def test_should_show_a_value_in_words(value: Any, text: str) -> None:
    assert shown({"name": value}) == (Field("name", text),)


def test_should_unfold_objects_and_number_lists() -> None:
    (order,) = shown({"order": {"items": ["a", "b"]}})
    assert (order.value, order.fields[0].value) == ("1 field", "2 items")
    assert order.fields[0].fields == (Field("1", "a"), Field("2", "b"))


def test_should_show_what_is_too_deep_as_json() -> None:
    context: dict[str, Any] = {"end": [1]}
    for _ in range(MAX_DEPTH):
        context = {"inner": context}
    (field,) = shown(context)
    for _ in range(MAX_DEPTH - 1):
        (field,) = field.fields
    assert (field.value, field.fields) == ('{"end": [1]}', ())


def test_should_say_how_much_there_was_no_room_for() -> None:
    many = readable(json.dumps({str(number): number for number in range(MAX_FIELDS + 5)}))
    assert (len(many.fields), many.left_out) == (MAX_FIELDS, 5)
    (long,) = shown({"name": "x" * (MAX_VALUE + 3)})
    assert long.value.endswith("... 3 more characters are on record")
