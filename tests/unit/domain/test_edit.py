"""An approver changes what may be changed, to a value of its kind, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.edit import (
    MAX_EDITABLE,
    MAX_EDITED_BYTES,
    Change,
    accept_editable,
    changes_view,
    edit,
    editable_fields,
    merged,
    read_changes,
)
from hitl_approval.domain.errors import InvalidRequest, ValuesRefused

CONTEXT: dict[str, Any] = {
    "amount": 100,
    "rate": 1.0,
    "note": "first\r\nsecond ",
    "urgent": False,
    "customer": {"limit": 5, "name": "Ann", "a.b": "dotted"},
    "lines": [{"price": 1}],
    "nothing": None,
    "x.y": 1,
    "x": {"y": 2},
}
PATHS = ("amount", "rate", "note", "urgent", "customer.limit", "customer.a.b")


def test_should_change_values_where_their_paths_lead() -> None:
    after, changes = edit(
        CONTEXT, PATHS, {"amount": 120, "customer.limit": 6, "customer.a.b": "new", "urgent": True}
    )
    assert after == CONTEXT | {
        "amount": 120,
        "urgent": True,
        "customer": {"limit": 6, "name": "Ann", "a.b": "new"},
    }
    assert list(after) == list(CONTEXT)
    assert changes == {
        "amount": Change(100, 120),
        "customer.limit": Change(5, 6),
        "customer.a.b": Change("dotted", "new"),
        "urgent": Change(before=False, after=True),
    }
    assert CONTEXT["customer"]["limit"] == 5


def test_should_count_no_change_where_the_value_is_the_same() -> None:
    same = {"amount": 100.0, "rate": 1, "note": "first\nsecond", "urgent": False}
    assert edit(CONTEXT, PATHS, same) == (CONTEXT, {})


def test_should_keep_the_type_of_a_value() -> None:
    after, changes = edit(CONTEXT, PATHS, {"rate": 2})
    assert json.dumps(after["rate"]) == "2.0"
    assert changes_view(changes) == {"rate": {"before": 1, "after": 2}}


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("amount", 99.5, "must be a whole number, got 99.5"),
        ("amount", "99", "must be a whole number, got '99'"),
        ("amount", True, "must be a whole number, got True"),
        ("amount", None, "is required"),
        ("rate", "x", "must be a number, got 'x'"),
        ("note", 7, "must be a string, got a number"),
        ("note", "x" * 1_001, "must be at most 1000 characters, got 1001"),
        ("note", "\x00", "must not contain control characters, got U+0000"),
        ("urgent", 1, "must be true or false, got 1"),
        ("customer.name", "Bob", "must not be changed: what may be is amount, rate"),
        ("tool", "x", "must not be changed: what may be is amount, rate"),
    ],
)
def test_should_refuse_a_change_that_does_not_fit(path: str, value: Any, rule: str) -> None:
    with pytest.raises(ValuesRefused) as refused:
        edit(CONTEXT, PATHS, {path: value})
    assert refused.value.details["fields"][f"changes.{path}"].startswith(rule)


def test_should_refuse_what_the_record_has_no_room_for() -> None:
    context = {"a": "", "b": ""}
    with pytest.raises(ValuesRefused, match=r"^changes.a: is too long: the values together take"):
        edit(context, ("a", "b"), {"a": "ж" * 900, "b": "ж" * 200})


@pytest.mark.parametrize("changes", [[], "amount=1", 7])
def test_should_refuse_what_is_no_object(changes: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^changes: must be an object, got "):
        edit(CONTEXT, PATHS, changes)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["nowhere"], "names 'nowhere', which is no field of the context"),
        (["lines.price"], "names 'lines.price', which is no field of the context"),
        (["x.y"], "names 'x.y', which could be several fields"),
        (["a=b"], "names 'a=b', which has a ="),
        (["customer"], "names 'customer', whose value must be text, a number or true or false"),
        (["nothing"], "names 'nothing', whose value must be text, a number or true or false"),
        (["huge"], "names 'huge', whose value must be text, a number or true or false"),
        (["hidden"], "names 'hidden', whose value must not contain control characters"),
        (["long"], "names 'long', whose value must be at most 1000 characters, got 1001"),
        (["wide", "broad"], f"must name values of at most {MAX_EDITED_BYTES} bytes together"),
        ([f"x{n}" for n in range(MAX_EDITABLE + 1)], f"must be at most {MAX_EDITABLE}, got"),
    ],
)
def test_should_refuse_to_let_change_what_no_form_shows(paths: list[str], message: str) -> None:
    context = CONTEXT | {
        "huge": 1e300, "hidden": "a\u202eb", "long": "x" * 1_001,
        "wide": "ж" * 600, "broad": "ж" * 600, "a=b": 1,
    }  # fmt: skip
    with pytest.raises(InvalidRequest) as refused:
        accept_editable(paths, context)
    assert str(refused.value).startswith(f"editable: {message}")


def test_should_ask_with_the_present_values() -> None:
    accept_editable(PATHS, CONTEXT)
    fields = editable_fields(CONTEXT, PATHS)
    assert [(each.name, each.kind, each.default) for each in fields] == [
        ("amount", "integer", 100),
        ("rate", "number", 1),
        ("note", "string", "first\r\nsecond "),
        ("urgent", "boolean", False),
        ("customer.limit", "integer", 5),
        ("customer.a.b", "string", "dotted"),
    ]
    assert fields[2].of_text("") == ""


def test_should_remember_how_it_was_asked_over_several_changes() -> None:
    first = {"amount": Change(100, 120), "rate": Change(1, 2)}
    both = merged(first, {"amount": Change(120, 90), "urgent": Change(before=False, after=True)})
    assert both == {
        "amount": Change(100, 90), "rate": Change(1, 2), "urgent": Change(before=False, after=True),
    }  # fmt: skip
    assert merged(first, {"amount": Change(120, 100)}) == {"rate": Change(1, 2)}
    assert read_changes(changes_view(both)) == both
