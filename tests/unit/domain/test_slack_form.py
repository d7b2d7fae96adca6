"""A dialog's fields are within what Block Kit takes, and are read back as they were filled in."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.errors import ValuesRefused
from hitl_approval.domain.form import Form
from hitl_approval.domain.slack import Subject, dialog
from hitl_approval.domain.slack_form import (
    VALUE,
    errors_of,
    fields_of,
    input_blocks,
    values_of,
)
from hitl_approval.domain.values import Values
from tests.anything import any_approval, any_request
from tests.unit.http.by_slack import as_it_stood

FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "title": "Why", "minLength": 3, "maxLength": 50},
        "cost": {"type": "number", "minimum": 1, "maximum": 9.5, "description": "In EUR"},
        "days": {"type": "integer", "default": 3},
        "urgent": {"type": "boolean", "default": False},
        "sure": {"type": "boolean"},
        "team": {"type": "string", "enum": ["a", "b"], "enumNames": ["Team A", "Team B"]},
        "size": {"type": "string", "enum": ["s", "m"], "default": "m"},
        "mail": {"type": "string", "format": "email"},
        "page": {"type": "string", "format": "uri"},
        "day": {"type": "string", "format": "date", "default": "2026-01-31"},
        "at": {"type": "string", "format": "date-time", "default": "2026-01-31T12:00:00Z"},
        "note": {"type": "string", "default": "none"},
    },
    "required": ["reason", "sure"],
}


def asked(**fields: Any) -> Approval:
    given = {
        "approvers": ["ann"], "form": FORM, "editable": ["amount", "memo"],
        "context": {"amount": 100, "memo": "as ordered"},
    }  # fmt: skip
    return any_approval(request=any_request(**(given | fields)))


def elements(approval: Approval) -> dict[str, dict[str, Any]]:
    return {block["label"]["text"]: block["element"] for block in input_blocks(approval)}


def test_should_ask_by_the_element_of_each_kind() -> None:
    found = elements(asked())
    assert {label: element["type"] for label, element in found.items()} == {
        "Why": "plain_text_input",
        "cost": "number_input",
        "days": "number_input",
        "urgent": "radio_buttons",
        "sure": "radio_buttons",
        "team": "static_select",
        "size": "static_select",
        "mail": "email_text_input",
        "page": "url_text_input",
        "day": "datepicker",
        "at": "datetimepicker",
        "note": "plain_text_input",
        "amount": "number_input",
        "memo": "plain_text_input",
    }
    assert (found["Why"]["min_length"], found["Why"]["max_length"]) == (3, 50)
    assert (found["cost"]["min_value"], found["cost"]["max_value"]) == ("1", "9.5")
    assert (found["cost"]["is_decimal_allowed"], found["days"]["is_decimal_allowed"]) == (
        True,
        False,
    )
    assert found["amount"]["initial_value"] == "100"
    assert found["at"]["initial_date_time"] == 1_769_860_800
    assert found["size"]["initial_option"]["text"]["text"] == "m"
    assert "initial_option" not in found["sure"]


def test_should_let_nothing_be_left_empty_that_is_needed() -> None:
    optional = {block["label"]["text"]: block["optional"] for block in input_blocks(asked())}
    assert not any(optional[name] for name in ("Why", "sure", "days", "size", "day", "amount"))
    assert all(optional[name] for name in ("cost", "mail", "team", "note", "memo"))


def test_should_say_what_stands_now_of_what_may_be_changed() -> None:
    hints = {block["label"]["text"]: block.get("hint") for block in input_blocks(asked())}
    assert hints["amount"]["text"] == "Now: 100"  # type: ignore[index]
    assert hints["cost"]["text"] == "In EUR"  # type: ignore[index]
    assert hints["days"] is None


def test_should_stay_within_what_block_kit_takes() -> None:
    names = {
        f"f{n}": {"type": "string", "title": f"{n}" * 50, "description": "d" * 500}
        for n in range(3)
    }
    choices = {"type": "string", "enum": [f"{n:02}{'x' * 70}" for n in range(50)]}
    form = {"type": "object", "properties": {**names, "pick": choices}}
    approval = asked(form=form)
    view = dialog(approval, Subject(approval.approval_id, approval.content_digest, "approved"))
    assert len(view["blocks"]) <= 100
    for block in view["blocks"]:
        assert len(block.get("block_id", "")) <= 255
        assert len(block.get("label", {}).get("text", "")) <= 2_000
        assert len(block.get("hint", {}).get("text", "")) <= 2_000
        options = block.get("element", {}).get("options", [])
        assert len(options) <= 100
        assert all(len(o["text"]["text"]) <= 75 and len(o["value"]) <= 150 for o in options)
    rejects = dialog(approval, Subject(approval.approval_id, approval.content_digest, "rejected"))
    assert [b["block_id"] for b in rejects["blocks"] if b["type"] == "input"] == ["comment"]


def state(approval: Approval, **filled: Any) -> dict[str, Any]:
    return {
        block["block_id"]: {VALUE: filled.get(block["label"]["text"], as_it_stood(block))}
        for block in input_blocks(approval)
    }


def test_should_read_what_was_filled_in_and_no_change_of_what_was_not_touched() -> None:
    approval = asked()
    given = values_of(
        approval,
        state(
            approval,
            Why={"value": "lunch"},
            cost={"value": "2.5"},
            sure={"selected_option": {"value": "true"}},
            team={"selected_option": {"value": "1"}},
            at={"selected_date_time": 1_769_860_860},
        ),
    )
    assert given.changes == {"amount": 100, "memo": "as ordered"}
    assert Form.of(FORM).validate(given.input) == {
        "reason": "lunch",
        "cost": 2.5,
        "days": 3,
        "urgent": False,
        "sure": True,
        "team": "b",
        "size": "m",
        "day": "2026-01-31",
        "at": "2026-01-31T12:01:00Z",
        "note": "none",
    }


@pytest.mark.parametrize(
    "said",
    [
        {"selected_option": {"value": "9"}},
        {"selected_option": {"value": "-1"}},
        {"selected_option": {}},
        {"selected_date_time": 10**18},
        {"value": None},
        {},
        "text",
    ],
)
def test_should_take_no_choice_that_was_not_offered(said: Any) -> None:
    approval = asked()
    given = values_of(approval, state(approval, sure=said, team=said, at=said))
    with pytest.raises(ValuesRefused):
        Form.of(FORM).validate({**(given.input or {}), "reason": "lunch"})


def test_should_say_what_is_wrong_under_its_field() -> None:
    approval = asked()
    refused = ValuesRefused(
        {"input.reason": "is required", "changes.memo": "x" * 400, "input.?": "y"}
    )
    errors = errors_of(approval, refused)
    ids = {(each.of, each.field.name): each.id for each in fields_of(approval)}
    assert errors[ids["input", "reason"]] == "Is required."
    assert len(errors[ids["changes", "memo"]]) == 300
    assert len(errors) == 2


def test_should_ask_for_nothing_where_nothing_is_asked_for() -> None:
    approval = asked(form=None, editable=())
    assert input_blocks(approval) == []
    assert values_of(approval, {}) == Values(None, {})
