"""What people are shown of an agent's call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval import InvalidRequest, Quorum
from hitl_approval.agents.adapter import Said, ToolCall
from hitl_approval.agents.asking import Asked, Asking, asked_of, last_of, last_words
from hitl_approval.domain.call import ArgumentsChanged
from hitl_approval.domain.tool_policy import ToolPolicy, allow, ask

ARGUMENTS = {"customer": {"name": "Ann", "iban": "DE1"}, "amount": 70, "note": None}


def asked(
    rule: Any = None,
    *,
    arguments: Any = ARGUMENTS,
    why: str = "Because.",
    said: str = "",
    **asking: Any,
) -> Asked:
    call = ToolCall(id="c1", tool="pay", arguments=arguments, why=why)
    policy = ToolPolicy.of({} if rule is None else {"pay": rule})
    ruling = policy.rule_on("pay", arguments)
    return asked_of(call, ruling, Asking(requester="agent", **asking), said)


def test_should_show_the_call_and_whose_words_they_are() -> None:
    request = asked().request
    assert list(request.context) == ["tool", "arguments", "the_model_said", "arguments_digest"]
    assert request.context["arguments"] == ARGUMENTS
    assert request.context["the_model_said"] == "Because."
    assert request.requester == "agent"


def test_should_leave_out_words_that_were_not_said() -> None:
    assert "the_model_said" not in asked(why="").request.context


def test_should_ask_whom_the_rule_names() -> None:
    rule = ask(approvers=["cfo"], quorum=Quorum.at_least(1))
    request = asked(rule, approvers=["ops"], quorum=Quorum.at_least(2)).request
    assert (request.approvers, request.quorum) == (("cfo",), Quorum.at_least(1))


def test_should_not_ask_of_those_whom_a_rule_names_the_quorum_of_others() -> None:
    request = asked(ask(approvers=["cfo"]), quorum=Quorum.at_least(2)).request
    assert request.quorum is None


def test_should_ask_whom_the_run_names_where_the_rule_names_nobody() -> None:
    request = asked(ask(), approvers=["ops"], quorum=Quorum.everyone()).request
    assert (request.approvers, request.quorum) == (("ops",), Quorum.everyone())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("customer.iban", "arguments.customer.iban"),
        ("customer.ibn", "arguments.customer"),  # rather too much than too little
        ("note", "arguments.note"),
    ],
)
def test_should_mask_an_argument_and_the_models_words(path: str, expected: str) -> None:
    assert asked(sensitive=[path]).request.sensitive == (expected, "the_model_said")


def test_should_mask_the_words_where_the_argument_was_left_out() -> None:
    assert asked(sensitive=["iban"]).request.sensitive == ("the_model_said",)


def test_should_mask_by_every_rule_for_the_tool() -> None:
    rules = [allow(when=None), ask(sensitive=["note"])]
    assert "arguments.note" in asked(rules).request.sensitive


def test_should_mask_the_conversation_always() -> None:
    request = asked(said="user: hello").request
    assert request.context["conversation"] == "user: hello"
    assert request.sensitive == ("conversation",)


def test_should_let_people_change_only_what_is_there_to_change() -> None:
    request = asked(ask(editable=["amount", "note", "absent", "customer"])).request
    assert request.editable == ("arguments.amount",)
    assert "arguments_digest" not in request.context


def test_should_say_that_arguments_cannot_be_shown() -> None:
    with pytest.raises(InvalidRequest) as refused:
        asked(arguments={"text": "\ud800"})
    assert refused.value.details["field"] == "arguments"


def test_should_return_the_arguments_that_were_approved() -> None:
    one = asked(editable=["amount"])
    context = json.loads(json.dumps(one.request.context))
    context["arguments"]["amount"] = 35
    assert one.approved(json.dumps(context)) == {**ARGUMENTS, "amount": 35}


def test_should_run_nothing_that_is_not_the_call_on_record() -> None:
    one = asked()
    context = json.loads(json.dumps(one.request.context))
    context["arguments"]["amount"] = 35
    with pytest.raises(ArgumentsChanged):
        one.approved(json.dumps(context))


def test_should_keep_the_last_of_long_words() -> None:
    call = last_words(ToolCall(id="c", tool="t", arguments={}, why="a" * 3_000 + "so pay \ud800"))
    assert len(call.why) == 2_000
    assert call.why.endswith("so pay ?")
    assert call.why.startswith("(what was said before is left out)")


def test_should_write_a_conversation_by_who_said_what() -> None:
    said = last_of([Said("user", "pay"), Said("model", "how much?")])
    assert said == "user: pay\n\nmodel: how much?"
