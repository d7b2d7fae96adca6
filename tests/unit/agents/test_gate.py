"""The gate: nothing runs that was not approved, and nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.agents.gate import (
    Answer,
    ApprovedCall,
    Gate,
    Refused,
    Ruling,
    answer_to,
    approved_call,
)
from hitl_approval.domain.call import ArgumentsChanged
from hitl_approval.domain.tool_policy import ToolPolicy, allow, deny

ASKED = {"amount": 70}


def approved(arguments: dict[str, Any]) -> ApprovedCall:
    return ApprovedCall(
        tool="refund",
        arguments=arguments,
        approval_id="a" * 32,
        idempotency_key="k" * 32,
        decided_by="ann",
    )


def gate(answer: Answer | None = None, **tools: Any) -> Gate:
    return Gate(ToolPolicy.of(tools), {} if answer is None else {"c1": answer})


def test_should_ask_by_default() -> None:
    assert gate().rule_on("c1", "refund", ASKED).action == "ask"


def test_should_run_what_the_policy_allows_as_it_is() -> None:
    assert gate(refund=allow()).rule_on("c1", "refund", ASKED) == Ruling("run", ASKED)


def test_should_answer_what_the_policy_denies() -> None:
    ruling = gate(refund=deny("closed")).rule_on("c1", "refund", ASKED)
    assert ruling.answer == "not done, denied by policy: closed"


def test_should_run_what_was_approved_with_the_approved_arguments() -> None:
    answer = Answer(tool="refund", asked=ASKED, approved=approved({"amount": 35}))
    ruling = gate(answer).rule_on("c1", "refund", ASKED)
    assert (ruling.action, ruling.arguments) == ("run", {"amount": 35})


def test_should_take_the_approved_arguments_for_the_same_call() -> None:
    answer = Answer(tool="refund", asked=ASKED, approved=approved({"amount": 35}))
    assert gate(answer).rule_on("c1", "refund", {"amount": 35}).action == "run"


@pytest.mark.parametrize(
    ("tool", "arguments"), [("refund", {"amount": 71}), ("delete", ASKED), ("refund", {})]
)
def test_should_run_nothing_else_under_an_approval(tool: str, arguments: dict[str, Any]) -> None:
    guarded = gate(Answer(tool="refund", asked=ASKED, approved=approved(ASKED)))
    with pytest.raises(ArgumentsChanged, match=f"{tool} was not run"):
        guarded.rule_on("c1", tool, arguments)
    assert isinstance(guarded.problem, ArgumentsChanged)


def test_should_use_an_approval_once() -> None:
    guarded = gate(Answer(tool="refund", asked=ASKED, approved=approved(ASKED)))
    assert guarded.rule_on("c1", "refund", ASKED).action == "run"
    assert guarded.rule_on("c1", "refund", ASKED).action == "ask"


def test_should_answer_a_call_that_was_rejected() -> None:
    guarded = gate(Answer(tool="refund", asked=ASKED, text="no"), refund=allow())
    assert guarded.rule_on("c1", "refund", ASKED).answer == "no"


def test_should_take_another_call_of_a_rejected_ones_id_for_a_new_one() -> None:
    guarded = gate(Answer(tool="refund", asked=ASKED, text="no"))
    assert guarded.rule_on("c1", "refund", {"amount": 5}).action == "ask"


def test_should_keep_what_the_caller_raises_on_a_denial() -> None:
    def raises(refused: Refused) -> str:
        raise PermissionError(refused.reason)

    guarded = Gate(ToolPolicy.of({"*": deny()}), on_refused=raises)
    with pytest.raises(PermissionError):
        guarded.rule_on("c1", "refund", ASKED)
    assert isinstance(guarded.problem, PermissionError)


def test_should_tell_only_the_tool_that_runs_by_which_approval() -> None:
    call = approved(ASKED)
    guarded = gate()
    assert approved_call() is None
    with guarded.running(Ruling("run", ASKED, approved=call)):
        assert approved_call() is call
        with guarded.running(Ruling("run", ASKED)):
            assert approved_call() is None
    assert approved_call() is None


def test_should_answer_a_refusal_in_words() -> None:
    refused = Refused(tool="refund", arguments={}, reason="rejected: no")
    assert answer_to(refused) == "not done, rejected: no"
