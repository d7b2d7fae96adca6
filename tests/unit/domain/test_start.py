"""What no event's JSON can hold, and the same rules for every field; see also tests/bad_input."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.domain.business_hours import business_hours
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.start import parse_document, task_token
from tests.anything import a_document


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


def _deep(levels: int) -> dict[str, Any]:
    root: dict[str, Any] = {}
    inner = root
    for _ in range(levels):
        inner["a"] = {}
        inner = inner["a"]
    return root


@pytest.mark.parametrize("value", [{"object": object()}, _deep(100_000)], ids=["object", "deep"])
def test_should_refuse_a_context_that_cannot_be_stored(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^context: "):
        parse_document(a_document(context=value))


def test_should_keep_the_context_as_it_came() -> None:
    context = {"amount": 12.5, "lines": [1, None, True, {"": "empty key"}], "emoji": "🚀"}
    assert parse_document(a_document(context=context)).context == context
    assert json.dumps(context)


def test_should_take_a_request_without_a_document() -> None:
    request = parse_document({"subject": "Refund 70", "requester": "rita", "task_token": "t"})
    assert (request.subject, request.document_id) == ("Refund 70", None)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"subject": "Refund"}, "requester: is required"),
        (
            {"subject": "Refund", "requester": "rita", "document_id": "d"},
            "document_id: is not a field of this workflow",
        ),
    ],
)
def test_should_refuse_half_a_request(event: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse_document(event)


@pytest.mark.parametrize("token", ["", 7, "x" * 2_049, ["t"]])
def test_should_refuse_what_is_no_token(token: Any) -> None:
    with pytest.raises(InvalidRequest, match="task_token: must be a token of Step Functions"):
        task_token({"task_token": token})
    assert task_token({"task_token": None}) is None
    assert task_token("no object") is None


def test_should_read_business_hours() -> None:
    hours = {"hours": 8, "zone": "Europe/Berlin"}
    request = parse_document(a_document(business_hours=hours))
    assert request.timeout == business_hours(8, "Europe/Berlin")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"timeout_seconds": 60, "business_hours": {"hours": 8, "zone": "UTC"}},
            "give one of the two",
        ),
        ({"business_hours": None}, r"^business_hours: must be an object, got null"),
        ({"business_hours": {"hours": 8}}, r"^business_hours: needs zone"),
    ],
)
def test_should_refuse_business_hours_that_are_none(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse_document(a_document(**fields))
