"""What holds for an agent of every framework."""

from __future__ import annotations

import json
from threading import Barrier
from typing import Any

import pytest

from hitl_approval import NotApproved
from hitl_approval.agents import Refused, allow, ask, deny, field
from hitl_approval.testing import RunFailed
from hitl_approval.usecases.ask import DirectRequests

from .conftest import Bench, Died
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


def test_should_leave_none_of_several_behind_where_one_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only when it writes them does the deployment say that it cannot hold one of them."""
    bench.approvals.approvers = ["ann"]
    submit, others_written = DirectRequests.submit, Barrier(3)

    def slow_submit(self: DirectRequests, key: Any, submission: Any) -> Any:
        if submission.request.approvers:
            others_written.wait(timeout=30)
            return submit(self, key, submission)
        written = submit(self, key, submission)
        others_written.wait(timeout=30)
        return written

    monkeypatch.setattr(DirectRequests, "check", lambda *_: None)  # as an attached function's
    monkeypatch.setattr(DirectRequests, "submit", slow_submit)
    read = Call("r1", "read_customer", {"customer": "C-1"})
    tools = {"read_*": ask(approvers=["mallory"])}
    run = bench.start(calls(refund("c1", 70), read, refund("c2", 80)), tools=tools)
    with pytest.raises(RunFailed, match="names 'mallory', whom this deployment does not") as failed:
        run.result()
    assert failed.value.error_type == "hitl_approval.InvalidRequest"
    written = bench.approvals.store.approvals.values()
    assert [each.status for each in written] == ["cancelled", "cancelled"]
    assert "another call" in next(iter(written)).comments
    assert (bench.desk.refunded, bench.desk.read) == ([], [])


def test_should_ask_anew_in_each_turn(bench: Bench) -> None:
    run = bench.start(calls(refund("c1", 70)), calls(refund("c2", 80)))
    bench.approvals.approve(by="ann")
    assert bench.desk.refunded == [(70, "C-1")]
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1; refunded 80 to C-1"
    assert bench.script.asked == 3
    assert len(set(bench.desk.keys)) == 2


def test_should_not_ask_about_what_the_policy_allows(bench: Bench) -> None:
    read = Call("r1", "read_customer", {"customer": "C-1"})
    run = bench.start(calls(read))
    assert run.result() == "done: C-1 is known"
    assert bench.desk.read == ["C-1"]
    assert bench.approvals.store.approvals == {}


def test_should_run_what_is_allowed_beside_what_waits_once(bench: Bench) -> None:
    read = Call("r1", "read_customer", {"customer": "C-1"})
    run = bench.start(calls(read, refund()))
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


def test_should_not_run_again_what_a_crash_has_interrupted(bench: Bench) -> None:
    bench.desk.breaks = Died()
    run = bench.start(calls(refund()))
    bench.approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="interrupted"):
        run.result()
    assert bench.desk.refunded == [(70, "C-1")]


def test_should_run_once_after_a_crash_between_approval_and_tool(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.start(calls(refund()))
    died: list[Any] = []
    read = DirectRequests.read_context

    def read_context(self: DirectRequests, key: Any) -> str:
        if not died:
            died.append(key)
            raise Died
        return read(self, key)

    monkeypatch.setattr(DirectRequests, "read_context", read_context)
    bench.approvals.approve(by="ann")
    assert died
    assert run.result() == "done: refunded 70 to C-1"
    assert bench.desk.refunded == [(70, "C-1")]
    assert bench.script.asked == 2


def test_should_ask_about_a_call_of_an_id_that_was_used_before(bench: Bench) -> None:
    """Some models number the calls of each answer anew."""
    run = bench.start(calls(refund("c1", 70)), calls(refund("c1", 80)))
    bench.approvals.approve(by="ann")
    if run.failed:  # the framework takes it for the call that it has had: it does not run
        with pytest.raises(RunFailed, match="call"):
            run.result()
        assert bench.desk.refunded == [(70, "C-1")]
        return
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1; refunded 80 to C-1"
    assert bench.desk.refunded == [(70, "C-1"), (80, "C-1")]


def test_should_refuse_two_calls_of_one_id_in_one_turn(bench: Bench) -> None:
    run = bench.start(calls(refund("c1", 70), refund("c1", 80)))
    with pytest.raises(RunFailed):
        run.result()
    assert bench.desk.refunded == []


def test_should_name_an_approval_whatever_a_model_calls_its_call(bench: Bench) -> None:
    run = bench.start(calls(refund("call/é?" + "x" * 300)))
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"


def test_should_ask_once_about_the_same_call_where_the_policy_says_so(bench: Bench) -> None:
    tools = {"refund": ask(once="run")}
    same = (calls(refund("c1")), calls(refund("c2"), refund("c3")), calls(refund("c4", 80)))
    run = bench.start(*same, tools=tools)
    bench.approvals.approve(by="ann")
    assert bench.desk.refunded == [(70, "C-1")] * 3
    assert len(set(bench.desk.keys)) == 3
    [asked] = bench.approvals.pending()
    assert context_of(asked)["arguments"]["amount"] == 80
    bench.approvals.reject(by="ann")
    assert run.result().endswith("not done, rejected: no reason was given")


def test_should_ask_each_time_about_the_same_call_by_default(bench: Bench) -> None:
    run = bench.start(calls(refund("c1")), calls(refund("c2")))
    bench.approvals.approve(by="ann")
    bench.approvals.reject(by="ann", comments="enough")
    assert run.result() == "done: refunded 70 to C-1; not done, rejected: enough"


def test_should_end_the_run_where_the_caller_raises_on_a_refusal(bench: Bench) -> None:
    def raises(refused: Refused) -> str:
        assert refused.outcome is not None
        raise NotApproved(refused.outcome)

    run = bench.start(calls(refund()), on_refused=raises)
    bench.approvals.reject(by="ann", comments="no")
    with pytest.raises(RunFailed, match="rejected by ann: no") as failed:
        run.result()
    assert failed.value.error_type == "hitl_approval.NotApproved"


def test_should_end_the_run_where_the_caller_raises_on_a_denial(bench: Bench) -> None:
    def raises(refused: Refused) -> str:
        raise PermissionError(refused.reason)

    run = bench.start(calls(refund()), on_refused=raises, tools={"*": deny("closed")})
    with pytest.raises(RunFailed, match="denied by policy: closed"):
        run.result()
    assert bench.script.asked == 1


def test_should_show_the_conversation_on_the_page_only(bench: Bench) -> None:
    read = Call("r1", "read_customer", {"customer": "C-1"})
    run = bench.start(calls(read), calls(refund()), conversation=True)
    [asked] = bench.approvals.pending()
    shown = context_of(asked)["conversation"]
    assert "help C-1" in shown
    assert "C-1 is known" in shown
    for message in bench.approvals.notifications:
        assert "C-1 is known" not in message.body
    bench.approvals.approve(by="ann")
    assert run.result() == "done: C-1 is known; refunded 70 to C-1"


def test_should_refuse_a_state_that_a_step_cannot_hold(bench: Bench) -> None:
    run = bench.start(calls(refund(), text="Щ" * 100_000))
    with pytest.raises(RunFailed, match="state: must be at most 262144 bytes") as failed:
        run.result()
    assert failed.value.error_type == "hitl_approval.InvalidRequest"


def test_should_keep_a_large_state_in_the_store(bench: Bench) -> None:
    store = MemoryStates()
    run = bench.start(calls(refund(), text="Щ" * 100_000), store=store)
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert len(store.kept) == 1
    assert all("ЩЩ" not in str(each.payload) for each in run.updates if each.name == "agent/turn-1")


def test_should_not_go_on_from_a_state_that_is_another(bench: Bench) -> None:
    store = MemoryStates()
    run = bench.start(calls(refund()), store=store)
    store.kept = {digest: text + " " for digest, text in store.kept.items()}
    bench.approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="is not the one that was stored"):
        run.result()
    assert bench.desk.refunded == []


def test_should_answer_the_model_where_nobody_could_be_shown_its_arguments(bench: Bench) -> None:
    """What a model says fails no run."""
    run = bench.start(calls(refund(customer="C" * 160_000)), store=MemoryStates())
    assert run.result().startswith("done: not done, arguments: must be at most 150000 bytes")
    assert bench.desk.refunded == []


def test_should_end_after_so_many_turns(bench: Bench) -> None:
    run = bench.start(calls(refund("c1")), calls(refund("c2")), calls(refund("c3")), most_turns=2)
    bench.approvals.approve(by="ann")
    bench.approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="has not ended after 2 turns"):
        run.result()


def test_should_not_let_an_approver_change_what_a_rule_reads(bench: Bench) -> None:
    tools = {"refund": [allow(when=field("amount") < 50), ask(editable=["amount"])]}
    run = bench.start(calls(refund()), tools=tools)
    with pytest.raises(RunFailed, match="who decides may not change what says who decides"):
        run.result()


def test_should_refuse_a_name_that_names_no_step(bench: Bench) -> None:
    run = bench.start(name="a/b")
    with pytest.raises(RunFailed, match="name: must be 1 to 64 letters"):
        run.result()


@pytest.mark.parametrize("field", ["sensitive", "editable"])
def test_should_refuse_a_misspelled_name_before_anybody_is_asked(bench: Bench, field: str) -> None:
    rule: Any = {field: ["amuont"]}
    run = bench.start(calls(refund()), tools={"refund": ask(**rule)})
    said = f"{field}: names 'amuont', which is no argument of refund: it has amount, customer$"
    with pytest.raises(RunFailed, match=said) as failed:
        run.result()
    assert failed.value.error_type == "hitl_approval.InvalidRequest"
    assert bench.approvals.store.approvals == {}


def test_should_refuse_a_name_that_no_tool_has(bench: Bench) -> None:
    run = bench.start(calls(refund()), sensitive=["customer", "cusotmer"])
    said = "sensitive: names 'cusotmer', which is no argument of any of refund, read_customer"
    with pytest.raises(RunFailed, match=said):
        run.result()
    assert bench.approvals.store.approvals == {}


def test_should_refuse_a_misspelled_name_in_a_later_turn_too(bench: Bench) -> None:
    tools = {"refund": ask(), "read_*": ask(sensitive=["custmer"])}
    run = bench.start(
        calls(refund()), calls(Call("r1", "read_customer", {"customer": "C"})), tools=tools
    )
    bench.approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="'custmer', which is no argument of read_customer"):
        run.result()
    assert bench.desk.refunded == [(70, "C-1")]


def test_should_keep_two_runs_of_one_execution_apart(bench: Bench) -> None:
    run = bench.start(calls(refund()), name="first-agent")
    assert "first-agent/turn-1" in bench.steps
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert "first-agent/turn-2" in bench.steps


class MemoryStates:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def put(self, digest: str, text: str) -> None:
        self.kept[digest] = text

    def get(self, digest: str) -> str:
        return self.kept[digest]
