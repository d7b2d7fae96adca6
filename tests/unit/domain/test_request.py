"""Every declared field of a request, over its declaration: a new field is covered by being there.

The threat: a value of a wrong type that is taken for "no value", and so for the default (anyone may
approve, one approval is enough), or that fails with a stack trace where a sentence is due."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.request import CONTENT, Content
from hitl_approval.domain.view import summary
from hitl_approval.testing import in_memory
from tests.anything import any_opening, any_request


@pytest.mark.parametrize("name", CONTENT)
def test_should_repeat_a_text_wherever_the_record_is_shown(name: str) -> None:
    world = in_memory()
    texts = {name: "Tell-this"}
    opening = any_opening(request=any_request(**texts), now=world.clock.now())
    stored = world.store.create(opening)
    assert getattr(stored, name) == "Tell-this"
    assert summary(stored)[name] == "Tell-this"
    assert f"{CONTENT[name].label:<11}Tell-this" in approval_needed(stored).body


def test_should_hold_nothing_but_texts_in_the_content() -> None:
    hints = typing.get_type_hints(Content)
    assert set(hints.values()) <= {str, str | None}


@pytest.mark.parametrize("name", ["hitl-approval", " HITL-Approval ", "\uff48itl-approval"])
@pytest.mark.parametrize("field", ["requester", "approvers"])
def test_should_keep_the_systems_own_name_for_itself(name: str, field: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{field}: must not be hitl-approval"):
        any_request(**{field: [name] if field == "approvers" else name})


FORM = {"type": "object", "properties": {"reason": {"type": "string"}}}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"editable": ["amount"]}, "editable: names 'amount', which is no field of the context"),
        (
            {"sensitive": [f"{n}" * 1_000 for n in range(4)]},
            "sensitive: must be at most 3,000 bytes together, got 4,000",
        ),
        ({"editable": "amount"}, "editable: must be a list of fields, got a string"),
        ({"form": 7}, "form: must be a dataclass, a pydantic model or a JSON Schema, got a number"),
        (
            {"form": FORM, "editable": ["reason"], "context": {"reason": "x"}},
            "form: asks for reason, which editable names too",
        ),
        (
            {"form": FORM, "context": {"x": "y" * 100_000}},
            "context: must be at most 100000 bytes with a form or editable values, got 100009",
        ),
    ],
)
def test_should_refuse_a_form_and_changes_that_no_approver_could_use(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        any_request(**fields)
    assert str(refused.value) == message


def test_should_let_a_field_of_the_form_be_sensitive() -> None:
    assert any_request(form=FORM, sensitive=["reason"]).sensitive == ("reason",)
    with pytest.raises(InvalidRequest, match="sensitive"):
        any_request(form=FORM, sensitive=["other"])
