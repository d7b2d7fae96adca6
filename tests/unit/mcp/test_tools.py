"""The tools: their schemas are those of a request's declared fields."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.start import ANYTHING_FIELDS, BUSINESS_HOURS
from hitl_approval.mcp.tools import (
    GET,
    KEY,
    NOT_OF_A_MODEL,
    REQUEST,
    TOOLS,
    TYPES,
    WITHDRAW,
    definitions,
)


class Nobody:
    """A caller of whom nothing may be asked."""

    name = "rita"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def test_should_take_every_field_of_a_request_but_who_asks() -> None:
    assert {*TYPES, *NOT_OF_A_MODEL} == set(ANYTHING_FIELDS)
    assert not {*TYPES} & {*NOT_OF_A_MODEL}
    assert set(REQUEST.schema["properties"]) == {*TYPES, BUSINESS_HOURS, KEY}


@pytest.mark.parametrize("tool", definitions(), ids=lambda tool: tool["name"])
def test_should_define_itself_in_valid_schemas(tool: dict[str, Any]) -> None:
    for schema in (tool["inputSchema"], tool["outputSchema"]):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
    for name, value in tool["inputSchema"]["properties"].items():
        assert value["description"], name


@pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)
def test_should_refuse_what_is_no_argument(tool: Any) -> None:
    with pytest.raises(InvalidRequest, match="is no argument of"):
        tool.call(Nobody(), {"decision": "approved"})
    with pytest.raises(InvalidRequest, match="is required"):
        tool.call(Nobody(), {})


@pytest.mark.parametrize("tool", [GET, WITHDRAW])
@pytest.mark.parametrize("given", [None, 7, "", "a b", "a" * 65, {"a": 1}])
def test_should_refuse_what_is_no_id(tool: Any, given: Any) -> None:
    with pytest.raises(InvalidRequest, match="approval_id"):
        tool.call(Nobody(), {"approval_id": given})


def test_should_not_let_a_model_say_who_asks() -> None:
    with pytest.raises(InvalidRequest, match="you are rita"):
        REQUEST.call(Nobody(), {"subject": "Ship it", "requester": "ann"})


@pytest.mark.parametrize("key", ["", "a\nb", "a" * 201, 7])
def test_should_refuse_what_is_no_key(key: Any) -> None:
    with pytest.raises(InvalidRequest, match=KEY):
        REQUEST.call(Nobody(), {"subject": "Ship it", KEY: key})


def test_should_say_which_of_them_change_something() -> None:
    hints = {tool["name"]: tool["annotations"]["readOnlyHint"] for tool in definitions()}
    assert hints == {"request_approval": False, "get_approval": True, "withdraw_approval": False}
