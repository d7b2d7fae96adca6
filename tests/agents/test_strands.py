"""What holds for Strands Agents beyond what holds for every framework."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from pydantic import BaseModel
from strands import Agent, tool
from strands.hooks import AfterToolCallEvent, BeforeToolCallEvent
from strands.session.file_session_manager import FileSessionManager
from strands.tools.executors import SequentialToolExecutor

from hitl_approval.agents import allow, run
from hitl_approval.testing import Approvals, Run, RunFailed
from hitl_approval.testing.plugin import approvals  # noqa: F401  a fixture

from .kit_strands import ScriptedModel
from .script import Call, Desk, Says, Script, calls, refund

TOOLS = {"read_*": allow()}


def agent_of(script: Script, desk: Desk, **more: Any) -> Agent:
    tools = [tool(desk.refund), tool(desk.read_customer)]
    return Agent(ScriptedModel(script), tools=tools, callback_handler=None, **more)


def started(approvals: Approvals, agent: Any, task: Any = "help C-1", **options: Any) -> Run:  # noqa: F811
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        made = agent() if callable(agent) and not isinstance(agent, Agent) else agent
        given = {"requester": "support-agent", "tools": TOOLS, **options}
        return run(context, made, task, **given)

    return approvals.start(handler, {})


def test_should_go_on_in_an_agent_that_another_process_has_built(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    script = Script([calls(refund("c1")), calls(refund("c2", 80))])
    built: list[Agent] = []

    def build() -> Agent:
        built.append(agent_of(script, desk))
        return built[-1]

    run = started(approvals, build)
    approvals.approve(by="ann")
    approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1; refunded 80 to C-1"
    assert len(built) > 2
    assert script.asked == 3
    assert len(desk.refunded) == 2


def test_should_leave_the_agent_as_it_was_built(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    script = Script([calls(refund("c1")), Says("one"), calls(refund("c2", 80)), Says("two")])
    agent = agent_of(script, desk, messages=[{"role": "user", "content": [{"text": "before"}]}])
    for amount, said in ((70, "one"), (80, "two")):
        run = started(approvals, agent)
        approvals.approve(by="ann")
        assert run.result() == said
        assert desk.refunded[-1] == (amount, "C-1")
        assert [one["content"][0]["text"] for one in agent.messages] == ["before"]
    assert script.seen[2] == []  # the second run has not seen what the first one's tools answered


def test_should_not_stand_in_the_way_of_an_agent_that_is_run_elsewhere(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    agent = agent_of(Script([Says("nothing to do"), calls(refund())]), desk)
    started(approvals, agent).result()
    assert str(agent("again")).strip() == "done: refunded 70 to C-1"


def test_should_forget_an_agent_that_nobody_has() -> None:
    from hitl_approval.agents.strands import Adapter

    agent = agent_of(Script([]), Desk())
    Adapter(agent, {})
    gone = weakref.ref(agent)
    del agent
    gc.collect()
    assert gone() is None


def test_should_not_run_what_was_rejected_when_the_model_is_answered_nothing(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    run = started(
        approvals, agent_of(Script([calls(refund())]), desk), on_refused=lambda refused: ""
    )
    approvals.reject(by="ann", comments="no")
    run.result()
    assert desk.refunded == []


def test_should_ask_one_after_the_other_where_tools_run_so(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    script = Script([calls(refund("c1", 70), refund("c2", 80))])
    run = started(approvals, agent_of(script, desk, tool_executor=SequentialToolExecutor()))
    for amount in (70, 80):
        [asked] = approvals.pending()
        assert str(amount) in asked.subject
        approvals.approve(asked, by="ann")
    assert run.result() == "done: refunded 70 to C-1; refunded 80 to C-1"
    assert desk.refunded == [(70, "C-1"), (80, "C-1")]
    assert script.asked == 2


def test_should_not_run_an_approved_call_again_for_a_hook_that_retries(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()

    def again(event: AfterToolCallEvent) -> None:
        event.retry = True

    agent = agent_of(Script([calls(refund())]), desk)
    agent.hooks.add_callback(AfterToolCallEvent, again)
    run = started(approvals, agent)
    approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="was approved once"):
        run.result()
    assert desk.refunded == [(70, "C-1")]


def test_should_not_run_what_a_later_hook_has_changed(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk()
    agent = agent_of(Script([calls(refund())]), desk)

    def more(event: BeforeToolCallEvent) -> None:
        event.tool_use["input"]["amount"] = 7000

    def build() -> Agent:
        return agent

    run = started(approvals, build)
    agent.hooks.add_callback(BeforeToolCallEvent, more)  # after the gate's own
    approvals.approve(by="ann")
    with pytest.raises(RunFailed, match="was not run"):
        run.result()
    assert desk.refunded == []


def test_should_say_of_a_tool_that_is_not_there_without_asking(approvals: Approvals) -> None:  # noqa: F811
    run = started(approvals, agent_of(Script([calls(Call("x1", "launch", {}))]), Desk()))
    assert run.result() == "done: there is no tool launch"
    assert approvals.store.approvals == {}


def test_should_refuse_an_interrupt_that_nobody_answers(approvals: Approvals) -> None:  # noqa: F811
    def own(event: BeforeToolCallEvent) -> None:
        event.interrupt("mine", reason="?")

    agent = agent_of(Script([calls(refund())]), Desk())
    agent.hooks.add_callback(BeforeToolCallEvent, own)
    with pytest.raises(RunFailed, match=r"interrupts of its own.*mine"):
        started(approvals, agent).result()


def test_should_refuse_an_agent_that_keeps_its_state_elsewhere(
    approvals: Approvals,  # noqa: F811
    tmp_path: Any,
) -> None:
    sessions = FileSessionManager(session_id="s", storage_dir=str(tmp_path))
    agent = agent_of(Script([]), Desk(), session_manager=sessions)
    with pytest.raises(RunFailed, match="must not have a session manager"):
        started(approvals, agent).result()


def test_should_say_that_an_agent_has_not_come_to_its_end(approvals: Approvals) -> None:  # noqa: F811
    def read_nothing() -> str:
        """Stop."""
        agent.cancel()
        return "nothing"

    model = ScriptedModel(Script([calls(Call("r1", "read_nothing", {}))]))
    agent = Agent(model, tools=[tool(read_nothing)], callback_handler=None)
    with pytest.raises(RunFailed, match="has not come to its end: cancelled"):
        started(approvals, agent).result()


def test_should_refuse_an_agent_as_a_tool_whose_own_tools_should_wait(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    helper = agent_of(Script([calls(refund())]), desk, name="helper").as_tool()
    outer = Script([calls(Call("h1", "helper", {"input": "help C-1"}))])
    agent = Agent(ScriptedModel(outer), tools=[helper], callback_handler=None)
    with pytest.raises(RunFailed, match="has the agent helper as a tool, whose refund cannot wait"):
        started(approvals, agent, tools={"helper": allow()}).result()
    assert desk.refunded == []


def test_should_run_an_agent_as_a_tool_whose_own_tools_need_nobody(
    approvals: Approvals,  # noqa: F811
) -> None:
    desk = Desk()
    look = Call("r1", "read_customer", {"customer": "C-1"})
    inner = Agent(
        ScriptedModel(Script([calls(look)])),
        name="helper",
        tools=[tool(desk.read_customer)],
        callback_handler=None,
    )
    outer = Script([calls(Call("h1", "helper", {"input": "who is C-1?"}))])
    agent = Agent(ScriptedModel(outer), tools=[inner.as_tool()], callback_handler=None)
    run = started(approvals, agent)
    approvals.approve(by="ann")
    assert "C-1 is known" in run.result()
    assert desk.read == ["C-1"]


class Verdict(BaseModel):
    amount: int


def test_should_return_structured_output_and_ask_nobody_about_it(approvals: Approvals) -> None:  # noqa: F811
    script = Script([calls(refund()), calls(Call("o1", "Verdict", {"amount": 70}))])
    agent = agent_of(script, Desk(), structured_output_model=Verdict)
    seen: list[Any] = []

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        seen.append(run(context, agent, "help", requester="support-agent"))
        return seen[-1].amount

    started_run = approvals.start(handler, {})
    approvals.approve(by="ann")
    assert started_run.result() == 70
    assert seen == [Verdict(amount=70)]
    assert len(approvals.store.approvals) == 1


def test_should_keep_pictures_over_a_pause(approvals: Approvals) -> None:  # noqa: F811
    picture = {"image": {"format": "png", "source": {"bytes": b"\x89PNG"}}}
    seen: list[Any] = []

    class Looking(ScriptedModel):
        async def stream(self, messages: Any, *rest: Any, **more: Any) -> Any:
            seen.append(messages[0]["content"][1]["image"]["source"]["bytes"])
            async for event in super().stream(messages, *rest, **more):
                yield event

    desk = Desk()
    model = Looking(Script([calls(refund())]))
    agent = Agent(model, tools=[tool(desk.refund)], callback_handler=None)
    run = started(approvals, agent, [{"text": "look"}, picture], conversation=True)
    approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert seen == [b"\x89PNG", b"\x89PNG"]


def test_should_leave_nothing_to_be_closed_elsewhere(
    approvals: Approvals,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Strands leaves a tool's stream where its result is, and the loop closes it later."""
    desk = Desk()
    look = Call("r1", "read_customer", {"customer": "C-1"})
    run = started(approvals, agent_of(Script([calls(look), calls(refund())]), desk))
    approvals.approve(by="ann")
    assert run.result() == "done: C-1 is known; refunded 70 to C-1"
    assert None not in desk.keys
    gc.collect()
    assert "different Context" not in caplog.text


def test_should_answer_the_model_when_a_tool_has_failed(approvals: Approvals) -> None:  # noqa: F811
    desk = Desk(breaks=OSError("the bank is closed"))
    script = Script([calls(refund())])
    run = started(approvals, agent_of(script, desk))
    approvals.approve(by="ann")
    assert "the bank is closed" in run.result()  # the framework's own way
    assert desk.refunded == [(70, "C-1")]
    assert script.asked == 2
