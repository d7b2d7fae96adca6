"""A field of a request: its type, its default and what it says of itself."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.field import Field
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import FIELDS, ApprovalRequest
from hitl_approval.domain.start import parse_document
from tests.anything import any_request

VALUES: dict[str, Any] = {
    "null": None,
    "a boolean": True,
    "a whole number": 2,
    "a number": 1.5,
    "bytes": b"ann",
    "no bytes": b"",
    "text": "ann",
    "a list": ["ann"],
    "an object": {"a": 1},
    "an object of Python": object(),
    "a quorum": Quorum.at_least(2),
    "a time": timedelta(hours=1),
}


def allowed(name: str) -> tuple[type, ...]:
    """The types that a field is declared to take."""
    hint = typing.get_type_hints(ApprovalRequest)[name]
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return tuple(typing.get_origin(part) or part for part in parts)


def wrong() -> Iterator[Any]:
    for name in FIELDS:
        for kind, value in VALUES.items():
            text_is_no_list = isinstance(value, str | bytes) and str not in allowed(name)
            if text_is_no_list or not isinstance(value, allowed(name)):
                yield pytest.param(name, value, id=f"{name}: {kind}")


@pytest.mark.parametrize(("name", "value"), [*wrong()])
def test_should_refuse_a_wrong_type_in_a_sentence_that_names_the_field(
    name: str, value: Any
) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{name}: must be .*, got [a-z]"):
        any_request(**{name: value})


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_should_take_the_default_as_a_value(field: Field) -> None:
    if field.required:
        make: Any = ApprovalRequest
        with pytest.raises(TypeError, match=field.name):
            make(**{n: "x" for n, f in FIELDS.items() if f.required and f != field})
    else:
        request = any_request(**{field.name: field.default})
        assert getattr(request, field.name) == field.default
        assert request == any_request()


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_should_refuse_null_in_an_event(field: Field) -> None:
    event = {"subject": "Refund", "requester": "rita"}
    if field.name == "document_id":
        event = {"document_name": "Refund", "requester": "rita"}
    name = field.event or field.name
    rule = "must be" if field.event else "is not a field of this workflow"
    with pytest.raises(InvalidRequest, match=f"^{name}: {rule}"):
        parse_document(event | {name: None})


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_should_say_what_a_field_is(field: Field) -> None:
    assert f"    {field.name}: {field.described}\n" in str(ApprovalRequest.__doc__)
    assert 0 < len(field.label) <= 10  # the column of a message
    assert field.doc
    assert not field.doc.endswith(".")
