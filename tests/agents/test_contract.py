"""What holds for an agent of every framework."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl_approval.agents import allow, ask, deny, field
from hitl_approval.testing import RunFailed

from .conftest import Bench
from .script import Call, Says, calls, refund


def context_of(approval: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(approval.context)
    return shown


def test_should_run_what_was_approved_once(bench: Bench) -> None:
    run = bench.start(calls(refund(), text="C-1 was charged twice."))
    [asked] = bench.approvals.pending()
    assert bench.desk.refunded == []
    assert asked.requester == "support-agent"
    assert asked.subject == 'Run refund(amount=70, customer="C-1")'
    assert context_of(asked)["arguments"] == {"amount": 70, "customer": "C-1"}
    assert context_of(asked)["the_model_said"] == "C-1 was charged twice."
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert bench.desk.refunded == [(70, "C-1")]
    assert bench.script.asked == 2


def test_should_answer_the_model_with_the_reason_of_a_rejection(bench: Bench) -> None:
    run = bench.start(calls(refund()))
    bench.approvals.reject(by="ann", comments="charged once only")
    assert run.result() == "done: not done, rejected: charged once only"
    assert bench.desk.refunded == []
    assert bench.script.asked == 2


def test_should_answer_the_model_that_nobody_has_answered(bench: Bench) -> None:
    run = bench.start(calls(refund()))
    bench.approvals.let_time_out()
    assert run.result() == "done: not done, timeout: nobody has answered in time"
    assert bench.desk.refunded == []


def test_should_run_with_what_an_approver_has_changed(bench: Bench) -> None:
    if not bench.kit.edits:
        run = bench.start(calls(refund()), editable=["amount"])
        with pytest.raises(RunFailed, match="editable"):
            run.result()
        return
    run = bench.start(calls(refund()), editable=["amount"])
    bench.approvals.approve(by="ann", changes={"arguments.amount": 35})
    assert run.result() == "done: refunded 35 to C-1"
    assert bench.desk.refunded == [(35, "C-1")]


def test_should_ask_about_calls_of_one_turn_at_once_and_answer_each(bench: Bench) -> None:
    run = bench.start(calls(refund("c1", 70), refund("c2", 80), refund("c3", 90)))
    first, second, third = sorted(bench.approvals.pending(), key=lambda each: each.subject)
    bench.approvals.approve(second, by="ann")
    bench.approvals.reject(third, by="ann", comments="too much")
    assert bench.desk.refunded == []
    bench.approvals.approve(first, by="bob")
    result = run.result()
    assert sorted(bench.desk.refunded) == [(70, "C-1"), (80, "C-1")]
    assert "refunded 70" in result
    assert "refunded 80" in result
    assert "not done, rejected: too much" in result
    assert bench.script.asked == 2


def test_should_ask_anew_in_each_turn(bench: Bench) -> None:
    run = bench.start(calls(refund("c1", 70)), calls(refund("c2", 80)))
    bench.approvals.approve(by="ann")
    assert bench.desk.refunded == [(70, "C-1")]
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1; refunded 80 to C-1"
    assert bench.script.asked == 3
    assert len(set(bench.desk.keys)) == 2


def test_should_not_ask_about_what_the_policy_allows(bench: Bench) -> None:
    look = Call("r1", "read_customer", {"customer": "C-1"})
    run = bench.start(calls(look))
    assert run.result() == "done: C-1 is known"
    assert bench.desk.read == ["C-1"]
    assert bench.approvals.store.approvals == {}


def test_should_run_what_is_allowed_beside_what_waits_once(bench: Bench) -> None:
    look = Call("r1", "read_customer", {"customer": "C-1"})
    run = bench.start(calls(look, refund()))
    bench.approvals.approve(by="ann")
    result = run.result()
    assert "C-1 is known" in result
    assert "refunded 70 to C-1" in result
    assert bench.desk.read == ["C-1"]
    assert bench.desk.refunded == [(70, "C-1")]


def test_should_answer_the_model_that_the_policy_denies(bench: Bench) -> None:
    run = bench.start(calls(refund()), tools={"refund": deny("refunds are closed")})
    assert run.result() == "done: not done, denied by policy: refunds are closed"
    assert bench.desk.refunded == []
    assert bench.approvals.store.approvals == {}


def test_should_ask_about_every_tool_where_no_policy_is_given(bench: Bench) -> None:
    run = bench.start(calls(Call("r1", "read_customer", {"customer": "C-1"})), tools=None)
    assert bench.desk.read == []
    bench.approvals.approve(by="ann")
    assert run.result() == "done: C-1 is known"


def test_should_rule_on_the_arguments(bench: Bench) -> None:
    tools = {"refund": [allow(when=field("amount") < 50), ask(approvers=["finance"])]}
    run = bench.start(calls(refund("c1", 49)), calls(refund("c2", 50)), tools=tools)
    assert bench.desk.refunded == [(49, "C-1")]
    [asked] = bench.approvals.pending()
    assert asked.approvers == ("finance",)
    bench.approvals.approve(by="finance")
    assert bench.desk.refunded == [(49, "C-1"), (50, "C-1")]
    assert run.result().startswith("done: ")


def test_should_give_the_tool_the_key_of_its_approval(bench: Bench) -> None:
    bench.start(calls(refund()))
    bench.approvals.approve(by="ann")
    [key] = bench.desk.keys
    assert key is not None
    assert len(key) == 32


def test_should_say_nothing_sensitive_in_messages(bench: Bench) -> None:
    words = "Pay C-1 back."
    run = bench.start(calls(refund(), text=words), sensitive=["customer"])
    for message in bench.approvals.notifications:
        assert "C-1" not in message.body + message.subject
    [asked] = bench.approvals.pending()
    assert context_of(asked)["the_model_said"] == words
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"


def test_should_call_neither_model_nor_tool_again_on_a_replay(bench: Bench) -> None:
    run = bench.start(
        calls(refund("c1", 70)), calls(refund("c2", 80), refund("c3", 90)), Says("end")
    )
    while pending := bench.approvals.pending():
        bench.approvals.approve(pending[0], by="ann")
    assert run.result() == "end"
    assert run.invocations > 3
    assert bench.script.asked == 3
    assert sorted(bench.desk.refunded) == [(70, "C-1"), (80, "C-1"), (90, "C-1")]
