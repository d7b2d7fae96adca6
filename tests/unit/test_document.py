"""What may start a document workflow, and what is refused before anything is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.document import parse_document
from hitl_approval.domain.errors import InvalidRequest
from tests.anything import a_document


@pytest.mark.parametrize("event", [None, [], "document", 7, True])
def test_should_refuse_an_event_that_is_no_object(event: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^event: must be an object"):
        parse_document(event)


@pytest.mark.parametrize("field", ["document_id", "document_name", "requester"])
def test_should_require_the_fields_of_the_public_pattern(field: str) -> None:
    event = a_document()
    del event[field]
    with pytest.raises(InvalidRequest, match=f"^{field}: is required"):
        parse_document(event)


@pytest.mark.parametrize("field", ["document_id", "document_name", "requester"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "\u00a0",
        "\u200b\u2060",
        7,
        None,
        True,
        [],
        {},
        "x" * 5_000,
        "x" * 300_000,
        "two\nlines",
        "x\r\nBcc: e@x",
        "nul\x00",
        "\u202egnp.exe",
        "\u2066hidden",
        "line\u2028separator",
        "lone \ud800 surrogate",
    ],
    ids=repr,
)
def test_should_refuse_text_that_could_do_harm(field: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=f"^{field}: must"):
        parse_document(a_document(**{field: value}))


@pytest.mark.parametrize(
    "name", ["n" * 101, "<script>alert(1)</script>", "Budget 🚀 2026", "Überweisung", "预算"]
)
def test_should_accept_harmless_text(name: str) -> None:
    assert parse_document(a_document(document_name=name)).subject == name


@pytest.mark.parametrize("value", [0, -1, "60", 1.5, True, None, [], 10**30], ids=repr)
def test_should_refuse_a_timeout_that_is_no_whole_number_of_seconds(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^timeout_seconds: "):
        parse_document(a_document(timeout_seconds=value))


@pytest.mark.parametrize(
    "value", [[], "bob", [7], [""], ["bob", " BOB "], ["p"] * 2, [f"p{n}" for n in range(21)], None]
)
def test_should_refuse_approvers_that_are_no_list_of_distinct_people(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^approvers: "):
        parse_document(a_document(approvers=value))


def test_should_refuse_a_misspelt_field_rather_than_let_anyone_approve() -> None:
    with pytest.raises(InvalidRequest, match=r"^approver: is not a field"):
        parse_document(a_document(approver=["bob"]))


def _deep(levels: int) -> dict[str, Any]:
    root: dict[str, Any] = {}
    inner = root
    for _ in range(levels):
        inner["a"] = {}
        inner = inner["a"]
    return root


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "text",
        {"big": "x" * 410_000},
        {"lone": "\ud800"},
        {"nan": float("nan")},
        {"object": object()},
        _deep(100_000),
    ],
    ids=["null", "list", "string", "410 KB", "surrogate", "nan", "object", "deep"],
)
def test_should_refuse_a_context_that_cannot_be_stored(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^context: "):
        parse_document(a_document(context=value))


def test_should_keep_the_context_as_it_came() -> None:
    context = {"amount": 12.5, "lines": [1, None, True, {"": "empty key"}], "emoji": "🚀"}
    assert parse_document(a_document(context=context)).context == context
    assert json.dumps(context)
