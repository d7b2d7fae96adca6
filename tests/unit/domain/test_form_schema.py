"""Flat schemas are read, and every other one is refused by the part that is more."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import Form
from hitl_approval.domain.form_schema import MAX_CHOICES, MAX_FORM_BYTES, MAX_FORM_FIELDS


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def of(**keywords: Any) -> dict[str, Any]:
    return schema(x={"type": "string"} | keywords)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (7, "must be a JSON Schema, got a number"),
        ({"type": "object", "properties": {1, 2}}, "must hold JSON values only"),
        ({"type": "array"}, 'must have "type": "object" and "properties"'),
        (schema(), f"must have 1 to {MAX_FORM_FIELDS} properties, got 0"),
        (
            schema(**{f"x{n}": {"type": "string"} for n in range(MAX_FORM_FIELDS + 1)}),
            f"must have 1 to {MAX_FORM_FIELDS} properties, got {MAX_FORM_FIELDS + 1}",
        ),
        (
            of() | {"patternProperties": {}},
            "patternProperties is more than a flat form has: take it out, it may have ",
        ),
        (of() | {"additionalProperties": True}, "must not have additionalProperties"),
        (of() | {"required": ["y"]}, "must list properties of its own as required"),
        (of() | {"required": "x"}, "must list properties of its own as required"),
        (of(description="y" * MAX_FORM_BYTES), f"must be at most {MAX_FORM_BYTES} bytes"),
        (schema(**{"a b": {"type": "string"}}), "has the property 'a b': names are"),
        (schema(x="string"), "x: must be an object, got a string"),
        (schema(x={"type": "object"}), "x: type must be one of string, number, integer, boolean"),
        (schema(x={"type": ["string", "null"]}), "x: type must be one of"),
        (schema(x={}), "x: type must be one of"),
        (of(pattern="^a+$"), "x.pattern is more than a flat form has"),
        (of(minimum=1), "x.minimum is more than a flat form has"),
        (of(writeOnly=True), "x.writeOnly is more than a flat form has"),
        (schema(x={"type": "integer", "exclusiveMinimum": 0}), "x.exclusiveMinimum is more than"),
        (schema(x={"type": "integer", "enum": [1]}), "x.enum is more than a flat form has"),
        (of(format="password"), "x: format must be one of email, uri, date, date-time"),
        (of(format=["date"]), "x: format must be one of"),
        (of(title="a\nb"), "x: title must not contain control characters"),
        (of(title=7), "x: title must be a string, got a number"),
        (of(description="y" * 501), "x: description must be at most 500 characters"),
        (of(minLength=-1), "x: minLength must be a number, got -1"),
        (of(minLength=1.5), "x: minLength must be a number, got 1.5"),
        (of(minLength=3, maxLength=2), "x: minLength must not be more than maxLength"),
        (of(minLength=2_001), "x: minLength must be at most 2000"),
        (schema(x={"type": "number", "minimum": "1"}), "x: minimum must be a number, got '1'"),
        (schema(x={"type": "number", "minimum": 2, "maximum": 1}), "x: minimum must not be more"),
        (of(enumNames=["a"]), "x: has enumNames without an enum"),
        (of(enum="ab"), "x: enum must be a list, got a string"),
        (of(enum=[]), f"x: must have 1 to {MAX_CHOICES} values, each once"),
        (of(enum=["a", "a"]), "x: must have 1 to"),
        (of(enum=[1]), "x: enum must be a string, got a number"),
        (of(enum=["a "]), "x: enum has a value that begins or ends with a space"),
        (of(enum=["a", "b"], enumNames=["A"]), "x: enumNames must be a list as long as enum"),
        (of(enum=["a", "b"], enumNames=["A", "A"]), "x: calls two values the same"),
        (of(enum=["a"], oneOf=[]), "x: has enum and oneOf: one of them says it all"),
        (of(oneOf=[{"const": "a"}]), 'x: oneOf must list objects of "const" and "title"'),
        (of(enum=["a"], maxLength=1), "x: has values to choose from, and so no length or format"),
        (of(enum=["a"], default="b"), "x.default must be one of 'a', got 'b'"),
        (of(default=1), "x.default must be a string, got a number"),
        (of(format="date", default="soon"), "x.default must be a date like 2026-01-31, got 'soon'"),
        (schema(x={"anyOf": [{"type": "string"}, {"type": "integer"}]}), "x: anyOf may add null"),
        (schema(x={"$ref": "https://example.com"}), "x: $ref must lead to one of the schema's own"),
        (schema(x={"$ref": {"a": 1}}), "x: $ref must lead to one of the schema's own"),
        (schema(x={"$ref": "#/$defs/X"}) | {"$defs": []}, "x: $ref must lead to one of"),
    ],
)
def test_should_refuse_more_than_a_flat_form(given: Any, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Form.of(given)
    assert str(refused.value).startswith(f"form: {message}")


def test_should_follow_what_a_model_writes_of_a_choice_and_of_none() -> None:
    given = {
        "$defs": {"Team": {"enum": ["a", "b"], "title": "Team", "type": "string"}},
        "properties": {
            "team": {"$ref": "#/$defs/Team", "default": "a"},
            "other": {"anyOf": [{"$ref": "#/$defs/Team"}, {"type": "null"}], "default": None},
            "only": {"const": "yes"},
        },
        "required": ["team", "other", "only"],
        "title": "Answer",
        "type": "object",
    }
    team, other, only = Form.of(given).fields
    assert (team.title, team.default, [one.value for one in team.choices]) == (
        "Team", "a", ["a", "b"],
    )  # fmt: skip
    assert (other.required, other.default, other.choices) == (False, None, team.choices)
    assert (only.required, [one.value for one in only.choices]) == (True, ["yes"])


def test_should_not_follow_what_refers_to_itself_for_ever() -> None:
    with pytest.raises(InvalidRequest, match="type must be one of"):
        Form.of(schema(x={"$ref": "#/$defs/X"}) | {"$defs": {"X": {"$ref": "#/$defs/X"}}})
