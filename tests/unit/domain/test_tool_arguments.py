from __future__ import annotations

from typing import Any

import pytest

from hitl_approval import InvalidRequest
from hitl_approval.domain.tool_arguments import (
    ToolArguments,
    leads,
    paths_there,
    paths_to_change,
)
from hitl_approval.domain.tool_policy import ToolPolicy, allow, ask

TEXT = {"type": "string"}
CUSTOMER = {"type": "object", "properties": {"iban": TEXT, "a.b": TEXT}}
REFUND = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer"},
        "note": {"anyOf": [TEXT, {"type": "null"}]},
        "kind": {"enum": ["full", "half"]},
        "customer": {"$ref": "#/$defs/Customer"},
        "payee": {"anyOf": [{"$ref": "#/$defs/Customer"}, {"type": "null"}]},
        "payees": {"type": "array", "items": {"$ref": "#/$defs/Customer"}},
        "pair": {"type": "array", "prefixItems": [TEXT, CUSTOMER], "items": False},
        "things": {"type": "array"},
        "more": {"type": "object"},
        "any": {},
        "all": True,
        "tree": {"$ref": "#/$defs/Tree"},
        "lost": {"$ref": "#/$defs/Nowhere"},
        "elsewhere": {"$ref": "https://example.com/schema.json"},
        "either": {"type": ["string", "object"], "properties": {"iban": TEXT}},
        "by_name": {"type": "object", "additionalProperties": TEXT},
        "by_pattern": {"type": "object", "properties": {}, "patternProperties": {"^x": TEXT}},
        "closed": {"type": "object", "additionalProperties": False},
    },
    "$defs": {
        "Customer": CUSTOMER,
        "Tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/Tree"}}},
    },
    "additionalProperties": False,
}
LOOP = {"$ref": "#"}
NONE: dict[str, Any] = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    "path",
    [
        *("amount", "customer", "customer.iban", "customer.a.b", "payee.iban", "payees.iban"),
        *("pair.iban", "things.x", "more.x", "any.x", "all.x.y", "tree.left.left.left"),
        *("lost.x", "elsewhere.x", "either.iban", "by_name.x", "by_pattern.y"),
    ],
)
def test_should_find_what_a_schema_has_or_leaves_open(path: str) -> None:
    assert leads(REFUND, path)


@pytest.mark.parametrize(
    "path",
    [
        *("amuont", "Amount", "amount.x", "note.x", "kind.x", "customer.ibann", "customer.a"),
        *("payee.ibann", "payees.ibann", "pair.ibann", "tree.left.right", "either.ibann"),
        *("closed.x", "iban", ""),
    ],
)
def test_should_not_find_what_a_schema_surely_has_not(path: str) -> None:
    assert not leads(REFUND, path)


@pytest.mark.parametrize("schema", [None, True, {}, LOOP, {"type": "object"}, {"$ref": "x"}])
def test_should_refuse_nothing_where_a_schema_says_nothing(schema: Any) -> None:
    assert leads(schema, "customer.iban")


def of(**schemas: Any) -> ToolArguments:
    arguments = ToolArguments()
    for tool, schema in schemas.items():
        arguments.note(tool, schema)
    return arguments


KNOWN = of(refund=REFUND, delete_row=NONE, delete_file={**NONE, "properties": {"path": TEXT}})


@pytest.mark.parametrize("field", ["sensitive", "editable"])
def test_should_refuse_a_misspelled_name_in_a_rule_for_the_tool(field: str) -> None:
    policy = ToolPolicy.of({"refund": ask(**{field: ["amount", "nite"]})})  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest) as refused:
        KNOWN.check("refund", policy)
    said = f"{field}: names 'nite', which is no argument of refund: it has amount, note, "
    assert str(refused.value).startswith(said)


def test_should_say_that_a_tool_has_no_arguments() -> None:
    with pytest.raises(InvalidRequest, match="no argument of delete_row: it has none"):
        KNOWN.check("delete_row", ToolPolicy.of({"delete_row": ask(sensitive=["path"])}))


def test_should_take_for_a_rule_of_several_tools_what_one_of_them_has() -> None:
    KNOWN.check("delete_row", ToolPolicy.of({"delete_*": ask(sensitive=["path"])}))
    with pytest.raises(InvalidRequest, match="no argument of any of delete_row, delete_file"):
        KNOWN.check("delete_row", ToolPolicy.of({"delete_*": ask(sensitive=["pth"])}))


def test_should_check_every_rule_for_the_tool_and_of_no_other() -> None:
    policy = ToolPolicy.of({"refund": [allow(), ask(editable=["nite"])], "delete_*": ask()})
    KNOWN.check("delete_row", policy)
    with pytest.raises(InvalidRequest, match="nite"):
        KNOWN.check("refund", policy)


@pytest.mark.parametrize("field", ["sensitive", "editable"])
def test_should_take_for_all_tools_what_any_has(field: str) -> None:
    KNOWN.check("delete_row", ToolPolicy(), **{field: ["amount", "path", "customer.iban"]})
    with pytest.raises(InvalidRequest, match=f"{field}: names 'pth', which is no argument of any"):
        KNOWN.check("refund", ToolPolicy(), **{field: ["pth"]})


def test_should_refuse_nothing_about_a_tool_that_is_not_known() -> None:
    KNOWN.check("transfer", ToolPolicy.of({"*": ask(sensitive=["x"])}), sensitive=["x"])


def test_should_refuse_nothing_where_one_of_the_tools_leaves_it_open() -> None:
    of(refund=REFUND, remote=None).check("refund", ToolPolicy(), sensitive=["x"])


GIVEN = {"amount": 70, "customer": {"iban": "DE1"}, "a.b": {"c": "d"}, "list": [{"iban": "DE2"}]}


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("customer.iban", ("customer.iban",)),
        ("customer.bic", ("customer",)),
        ("amount.x.y", ("amount",)),
        ("a.b.c", ("a.b.c",)),
        ("list.iban", ("list.iban",)),
        ("missing.iban", ()),
    ],
)
def test_should_mask_the_argument_where_it_has_not_the_field(
    path: str, there: tuple[str, ...]
) -> None:
    assert paths_there(GIVEN, [path, path]) == there


def test_should_let_people_change_what_is_there_to_change() -> None:
    named = ["amount", "missing", "customer", "customer.iban", "amount", "list.iban", "a.b.c"]
    assert paths_to_change(GIVEN, named) == ("amount", "customer.iban", "a.b.c")
