"""What is particular to pydantic-ai."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from pydantic import BaseModel
from pydantic_ai import Agent, DeferredToolRequests, RunContext
from pydantic_ai.toolsets import FunctionToolset

from hitl_approval.agents import allow, run
from hitl_approval.testing import Approvals, Run, RunFailed

from .kit_pydantic_ai import model_of
from .script import Call, Desk, Says, Script, calls, refund


@dataclass
class Account:
    """What a tool needs and no history may have."""

    password: str = "hunter2"


def start(approvals: Approvals, agent: Agent[Any, Any], **options: Any) -> Run:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return run(context, agent, "help", requester="agent", **options)

    return approvals.start(handler, {})


def agent_of(*says: Says, **more: Any) -> Agent[Any, Any]:
    return Agent(model_of(Script(list(says))), **more)


def test_should_write_the_callers_deps_nowhere_and_give_them_to_the_tool(
    approvals: Approvals,
) -> None:
    seen: list[str] = []
    agent = agent_of(calls(Call("c1", "log_in", {})), deps_type=Account)

    @agent.tool
    def log_in(ctx: RunContext[Account]) -> str:
        seen.append(ctx.deps.password)
        return "in"

    ended = start(approvals, agent, options={"deps": Account()})
    approvals.approve(by="ann")
    assert ended.result() == "done: in"
    assert seen == ["hunter2"]
    assert all("hunter2" not in str(update.payload) for update in ended.updates)


def test_should_change_nothing_of_the_callers_agent(approvals: Approvals) -> None:
    desk = Desk()
    agent = agent_of(calls(refund()), tools=[desk.refund])
    before = list(agent.toolsets)
    start(approvals, agent)
    assert [type(each) for each in agent.toolsets] == [type(each) for each in before]


def test_should_gate_toolsets_too(approvals: Approvals) -> None:
    desk = Desk()
    agent = agent_of(calls(refund()), toolsets=[FunctionToolset([desk.refund])])
    ended = start(approvals, agent)
    assert desk.refunded == []
    approvals.reject(by="ann", comments="no")
    assert ended.result() == "done: not done, rejected: no"
    assert desk.refunded == []


def test_should_ask_where_the_tool_itself_asks(approvals: Approvals) -> None:
    desk = Desk()
    agent = agent_of(calls(refund()), output_type=[str, DeferredToolRequests])
    agent.tool_plain(requires_approval=True)(desk.refund)
    ended = start(approvals, agent, tools={"*": allow()})
    assert desk.refunded == []
    approvals.approve(by="ann")
    assert ended.result() == "done: refunded 70 to C-1"


def test_should_show_the_arguments_as_the_model_gave_them_and_run_with_their_types(
    approvals: Approvals,
) -> None:
    seen: list[Any] = []
    agent = agent_of(calls(Call("c1", "book", {"day": "2026-12-24"})))

    @agent.tool_plain
    def book(day: date, seats: int = 2) -> str:
        seen.append((day, seats))
        return "booked"

    ended = start(approvals, agent)
    [asked] = approvals.pending()
    assert asked.subject == 'Run book(day="2026-12-24")'
    approvals.approve(by="ann")
    assert ended.result() == "done: booked"
    assert seen == [(date(2026, 12, 24), 2)]


class Answer(BaseModel):
    """A typed output."""

    amount: int


@pytest.mark.parametrize("spec", [Answer, [Answer, DeferredToolRequests]])
def test_should_return_the_output_as_its_type_has_it(approvals: Approvals, spec: Any) -> None:
    desk = Desk()
    last = calls(Call("o1", "final_result", {"amount": 70}))
    agent = agent_of(calls(refund()), last, tools=[desk.refund], output_type=spec)

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        found = run(context, agent, "help", requester="agent")
        return [type(found).__name__, dict(found)]

    ended = approvals.start(handler, {})
    approvals.approve(by="ann")
    expected = "Answer" if spec is Answer else "dict"
    assert ended.result() == [expected, {"amount": 70}]


@pytest.mark.parametrize("option", ["toolsets", "capabilities", "output_type"])
def test_should_refuse_what_would_bring_tools_past_the_gate(
    approvals: Approvals, option: str
) -> None:
    ended = start(approvals, agent_of(), options={option: []})
    with pytest.raises(RunFailed, match=f"options: must not have {option}"):
        ended.result()


def test_should_refuse_tools_that_run_elsewhere(approvals: Approvals) -> None:
    from pydantic_ai import ExternalToolset
    from pydantic_ai.tools import ToolDefinition

    agent = agent_of(calls(refund()), toolsets=[ExternalToolset([ToolDefinition(name="refund")])])
    with pytest.raises(RunFailed, match="has tools that run elsewhere"):
        start(approvals, agent, tools={"*": allow()}).result()
