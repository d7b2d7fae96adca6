"""What fits a form is kept as it was given; what does not is named, all of it at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest, ValuesRefused
from hitl_approval.domain.form import MAX_INPUT_BYTES, Form, moment_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "number", "minimum": 1, "maximum": 100, "title": "Amount in EUR"},
        "days": {"type": "integer", "default": 3},
        "reason": {"type": "string", "minLength": 3, "maxLength": 20},
        "mail": {"type": "string", "format": "email"},
        "page": {"type": "string", "format": "uri"},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "urgent": {"type": "boolean"},
        "team": {"type": "string", "enum": ["a", "b"], "enumNames": ["Team A", "Team B"]},
        "size": {"type": "string", "oneOf": [{"const": "s", "title": "Small"}]},
        "note": {"type": "string", "default": "none"},
    },
    "required": ["amount", "reason"],
}
FORM = Form.of(SCHEMA)
LEAST = {"amount": 5, "reason": "lunch"}


def test_should_fill_in_defaults_where_nothing_is_said() -> None:
    assert FORM.validate(LEAST) == LEAST | {"days": 3, "note": "none"}


def test_should_keep_what_fits() -> None:
    given = {
        "amount": 12.5,
        "days": 0,
        "reason": "two\nlines",
        "mail": "ann@example.com",
        "page": "https://example.com/x",
        "day": "2024-02-29",
        "at": "2026-01-31T12:00:00+01:00",
        "urgent": False,
        "team": "b",
        "size": "s",
        "note": "",
    }
    assert FORM.validate(given) == given
    assert FORM.validate(given | {"amount": 12.0}) == given | {"amount": 12}


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("amount", "5", "must be a number, got '5'"),
        ("amount", True, "must be a number, got True"),
        ("amount", float("nan"), "must be a number, got nan"),
        ("amount", 10**400, "must be a number, got"),
        ("amount", 0.5, "must be at least 1, got 0.5"),
        ("amount", 101, "must be at most 100, got 101"),
        ("amount", None, "is required"),
        ("days", 1.5, "must be a whole number, got 1.5"),
        ("days", None, "is required"),
        ("reason", "ab", "must be at least 3 characters, got 2"),
        ("reason", "x" * 21, "must be at most 20 characters, got 21"),
        ("reason", 7, "must be a string, got a number"),
        ("reason", "\u202eabc", "must not contain control characters, got U+202E"),
        ("mail", "ann", "must be an e-mail address, got 'ann'"),
        ("page", "example.com", "must be an address like https://example.com, got 'example.com'"),
        ("day", "2025-02-29", "must be a date like 2026-01-31, got '2025-02-29'"),
        ("at", "2026-01-31T12:00:00", "must be a time like 2026-01-31T12:00:00Z, got"),
        ("at", "0001-01-01T00:00:00+14:00", "must be a time like 2026-01-31T12:00:00Z, got"),
        ("urgent", "yes", "must be true or false, got 'yes'"),
        ("team", "Team A", "must be one of 'a', 'b', got 'Team A'"),
        ("size", "S", "must be one of 's', got 'S'"),
        ("colour", "red", "is none of the form's fields (amount, days"),
    ],
)
def test_should_refuse_what_does_not_fit(name: str, value: Any, rule: str) -> None:
    with pytest.raises(ValuesRefused, match=rf"^input.{name}: ") as refused:
        FORM.validate(LEAST | {name: value})
    assert refused.value.details["fields"][f"input.{name}"].startswith(rule)
    assert refused.value.details["field"] == f"input.{name}"
    assert refused.value.to_dict()["error"]["code"] == "INVALID_REQUEST"


def test_should_name_every_field_that_does_not_fit() -> None:
    with pytest.raises(ValuesRefused) as refused:
        FORM.validate({"amount": 0, "mail": "x"})
    assert list(refused.value.details["fields"]) == ["input.amount", "input.reason", "input.mail"]


@pytest.mark.parametrize("values", [None, "x", [1], 7])
def test_should_refuse_what_is_no_object(values: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^input: must be an object, got "):
        FORM.validate(values)


def test_should_refuse_more_than_a_vote_holds() -> None:
    form = Form.of(
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    )
    with pytest.raises(ValuesRefused, match=r"^input.b: is too long: all values together take"):
        form.validate({"a": "x", "b": "y" * MAX_INPUT_BYTES})


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("amount", " 12.50 ", 12.5),
        ("amount", "1e3", "1e3"),
        ("amount", "1,000", "1,000"),
        ("amount", "0.12345678901234567890", "0.12345678901234567890"),
        ("amount", "", None),
        ("days", "+7", 7),
        ("days", "7.0", 7),
        ("days", "9" * 30, "9" * 30),
        ("reason", " abc ", " abc "),
        ("reason", "  ", None),
        ("note", "", ""),
        ("urgent", "Yes", True),
        ("urgent", "false", False),
        ("urgent", "perhaps", "perhaps"),
        ("urgent", "", None),
        ("team", "a", "a"),
        ("at", "2026-01-31T12:00", "2026-01-31T12:00:00Z"),
        ("at", "2026-01-31 12:00:30+01:00", "2026-01-31T12:00:30+01:00"),
        ("at", "noon", "noon"),
    ],
)
def test_should_read_what_was_typed(name: str, typed: str, value: Any) -> None:
    assert FORM.of_texts({name: typed})[name] == value


def test_should_not_fill_in_a_default_where_a_person_has_emptied_the_field() -> None:
    shown = FORM.of_texts({"amount": "5", "reason": "lunch", "note": "", "days": ""})
    with pytest.raises(ValuesRefused) as refused:
        FORM.validate(shown)
    assert refused.value.details["fields"] == {"input.days": "is required"}
    assert FORM.validate(shown | {"days": 1})["note"] == ""


def test_should_say_what_was_filled_in_as_people_read_it() -> None:
    values = {"urgent": True, "team": "b", "amount": 12.5, "reason": "lunch"}
    assert list(FORM.lines(values)) == [
        ("Amount in EUR", "12.5"),
        ("reason", "lunch"),
        ("urgent", "yes"),
        ("team", "Team B"),
    ]


def test_should_read_back_what_it_has_written() -> None:
    assert Form.from_json(FORM.stored) == FORM
    assert Form.of(FORM.to_json()).to_json() == FORM.to_json()
    assert FORM.to_json()["required"] == ["amount", "reason"]


@pytest.mark.parametrize("stored", ["", "[]", "{}", json.dumps({"type": "object"}), "[" * 100_000])
def test_should_read_no_form_that_it_has_not_written(stored: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Form.from_json(stored)


def test_should_know_a_time_with_its_zone_only() -> None:
    moment = moment_of("2026-01-31t12:00:00.5+02:00")
    assert moment is not None
    assert moment.isoformat() == "2026-01-31T10:00:00.500000+00:00"
    assert moment_of("2026-01-31 12:00:00Z") is None
