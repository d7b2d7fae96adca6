"""Policies for tools: the first rule that matches, and nothing is allowed that was not read."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.condition import field
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.tool_policy import MAX_TOOL_RULES, ToolPolicy, allow, ask, deny


def action(tools: Any, tool: str, **arguments: Any) -> str:
    return ToolPolicy.of(tools).rule_on(tool, arguments).action


def test_should_ask_about_a_tool_that_no_rule_names() -> None:
    assert action(None, "anything") == "ask"
    assert action({"read_*": allow()}, "delete_row") == "ask"


def test_should_follow_the_first_rule_that_matches() -> None:
    tools = {"delete_*": ask(approvers=["ops"]), "read_*": allow(), "*": deny("no")}
    assert action(tools, "delete_row") == "ask"
    assert action(tools, "read_row") == "allow"
    assert action(tools, "write_row") == "deny"
    assert action(tools, "READ_ROW") == "deny"


def test_should_read_the_arguments() -> None:
    tools = {"pay": [allow(when=field("amount") < 100), deny(when=field("to.country") == "XX")]}
    assert action(tools, "pay", amount=99) == "allow"
    assert action(tools, "pay", amount=100, to={"country": "XX"}) == "deny"
    assert action(tools, "pay", amount=100, to={"country": "DE"}) == "ask"


@pytest.mark.parametrize("amount", [None, "5", True, [5], {"value": 5}, float("nan")])
def test_should_not_allow_what_it_cannot_read(amount: Any) -> None:
    assert action({"pay": allow(when=field("amount") < 100)}, "pay", amount=amount) == "ask"


def test_should_not_allow_after_a_denial_that_it_cannot_read() -> None:
    tools = {"pay": [deny(when=field("amount") > 100), allow()]}
    assert action(tools, "pay", amount=5) == "allow"
    assert action(tools, "pay", amount=500) == "deny"
    assert action(tools, "pay", amount="500") == "ask"
    assert action(tools, "pay") == "ask"


def test_should_not_allow_by_the_half_of_a_condition_that_it_can_read() -> None:
    either = (field("amount") < 100) | (field("test") == True)  # noqa: E712  a condition
    assert action({"pay": allow(when=either)}, "pay", amount=5) == "ask"
    assert action({"pay": allow(when=either)}, "pay", amount=5, test=False) == "allow"


def test_should_hide_what_any_rule_for_the_tool_calls_sensitive() -> None:
    tools = {"pay": [allow(when=field("amount") < 5), ask(sensitive=["iban"])], "*": ask()}
    ruling = ToolPolicy.of(tools).rule_on("pay", {"amount": "5"})
    assert ruling.sensitive == ("iban",)


def test_should_let_no_approver_change_what_says_who_decides() -> None:
    tools = {"pay": [allow(when=field("to.amount") < 5), ask()]}
    ruling = ToolPolicy.of(tools).rule_on("pay", {"to": {"amount": 6}})
    ruling.check_editable(["note"])
    for path in ("to.amount", "to", "to.amount.value"):
        with pytest.raises(InvalidRequest, match="who decides may not change"):
            ruling.check_editable([path])


WHOLE: dict[str, Any] = {
    "refund": [
        allow(when=(field("amount") < 100) & ~(field("country") == "XX")),
        ask(
            approvers=["finance"],
            quorum=Quorum.at_least(2),
            timeout=timedelta(hours=4),
            sensitive=["iban"],
            editable=["note"],
            once="run",
        ),
    ],
    "delete_*": ask(quorum=Quorum.of({"ops": 1, "legal": 1})),
    "*": deny("not for agents"),
}


def test_should_read_back_what_it_has_written() -> None:
    policy = ToolPolicy.of(WHOLE)
    assert ToolPolicy.of(json.loads(json.dumps(policy.to_json()))) == policy
    assert ToolPolicy.of(policy) == policy


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ("ask", "tools must be a list of objects, got a string"),
        (["ask"], "tools[0] must be an object"),
        ([{"tools": "a", "then": "maybe"}], "tools[0].then must be ask, allow or deny"),
        ([{"tools": "a", "if": 1}], "tools[0] has 'if', which no rule knows"),
        ([{"then": "ask"}], "tools must name tools by patterns"),
        ([{"tools": 5}], "tools must name tools by patterns"),
        ([{"tools": "a", "then": "allow", "approvers": ["x"]}], "allow does not take"),
        ([{"tools": "a", "then": "deny", "once": "run"}], "deny does not take"),
        ([{"tools": "a", "reason": "x"}], "ask does not take"),
        ([{"tools": "a", "timeout_seconds": "60"}], "tools[0]: timeout_seconds"),
        ([{"tools": "a", "approvers": "ann"}], "tools[0]: approvers"),
        ([{"tools": "a", "quorum": 0}], "tools[0].quorum"),
        ([{"tools": "a", "once": "day"}], 'tools[0]: once must be "run"'),
        ([{"tools": "a", "sensitive": "iban"}], "tools[0]: sensitive"),
        ([{"tools": "a", "when": {"field": "x"}}], "tools[0].when"),
        ([{"tools": "a", "then": ["ask"]}], "tools[0].then must be"),
        ([{"tools": "a"}] * (MAX_TOOL_RULES + 1), f"at most {MAX_TOOL_RULES} rules"),
    ],
)
def test_should_say_what_is_wrong_and_where(values: Any, problem: str) -> None:
    with pytest.raises(ValueError, match="tools") as refused:
        ToolPolicy.of(values)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ask(when=True),  # type: ignore[arg-type]
        lambda: ask(quorum=2),  # type: ignore[arg-type]
        lambda: ask(timeout=timedelta(0)),
        lambda: ask(timeout=60),  # type: ignore[arg-type]
        lambda: ask(approvers="ann"),
        lambda: ask(editable="amount"),
        lambda: deny("two\nlines"),
        lambda: ToolPolicy.of({"a": "ask"}),
        lambda: ToolPolicy.of({"": ask()}),
    ],
)
def test_should_refuse_what_says_nothing(make: Any) -> None:
    with pytest.raises(ValueError, match=r"must|contains"):
        make()
