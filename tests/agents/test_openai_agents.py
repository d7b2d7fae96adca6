"""What is particular to the OpenAI Agents SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from agents import Agent, RunContextWrapper, WebSearchTool, function_tool, handoff
from agents.mcp import MCPServer
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from mcp.types import CallToolResult, TextContent
from mcp.types import Tool as McpTool
from pydantic import BaseModel

from hitl_approval.agents import allow, run
from hitl_approval.testing import Approvals, Run, RunFailed

from .kit_openai_agents import ScriptModel
from .script import Call, Desk, Says, Script, calls, refund


@dataclass
class Account:
    """What a tool needs and no history may have."""

    password: str = "hunter2"


def start(approvals: Approvals, agent: Agent[Any], **options: Any) -> Run:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return run(context, agent, "help", requester="agent", **options)

    return approvals.start(handler, {})


def agent_of(*says: Says, desk: Desk | None = None, **more: Any) -> Agent[Any]:
    tools: Any = [function_tool((desk or Desk()).refund)]
    return Agent(name="support", model=ScriptModel(Script(list(says))), **{"tools": tools, **more})


@pytest.mark.parametrize("context", [Account(), {"password": "hunter2"}])
def test_should_write_the_callers_own_context_nowhere(approvals: Approvals, context: Any) -> None:
    desk = Desk()
    options = {"context": context}
    ended = start(approvals, agent_of(calls(refund()), desk=desk), options=options)
    approvals.approve(by="ann")
    assert ended.result() == "done: refunded 70 to C-1"
    assert all("hunter2" not in str(update.payload) for update in ended.updates)


def test_should_give_the_tool_its_context_after_the_approval(approvals: Approvals) -> None:
    seen: list[Any] = []

    @function_tool
    def log_in(wrapper: RunContextWrapper[Account]) -> str:
        seen.append(wrapper.context.password)
        return "in"

    agent = agent_of(calls(Call("c1", "log_in", {})), tools=[log_in])
    ended = start(approvals, agent, options={"context": Account()})
    approvals.approve(by="ann")
    assert ended.result() == "done: in"
    assert seen == ["hunter2"]


def test_should_change_nothing_of_the_callers_agent(approvals: Approvals) -> None:
    agent = agent_of(calls(refund()))
    [tool] = agent.tools
    start(approvals, agent)
    assert agent.tools == [tool]
    assert "get_all_tools" not in vars(agent)
    assert tool.needs_approval is False  # type: ignore[union-attr]


@pytest.mark.parametrize("made", [lambda agent: agent, handoff])
def test_should_gate_the_tools_of_an_agent_that_is_handed_over_to(
    approvals: Approvals, made: Any
) -> None:
    desk = Desk()
    second = Agent(
        name="refunds",
        model=ScriptModel(Script([calls(refund())])),
        tools=[function_tool(desk.refund)],
    )
    over = calls(Call("h1", "transfer_to_refunds", {}))
    ended = start(approvals, agent_of(over, tools=[], handoffs=[made(second)]))
    assert desk.refunded == []
    approvals.approve(by="ann")
    assert desk.refunded == [(70, "C-1")]
    assert "refunded 70 to C-1" in ended.result()


def test_should_gate_agents_that_hand_over_to_each_other(approvals: Approvals) -> None:
    desk = Desk()
    first = agent_of(calls(Call("h1", "transfer_to_refunds", {})), tools=[])
    second = Agent(
        name="refunds",
        model=ScriptModel(Script([calls(refund())])),
        tools=[function_tool(desk.refund)],
        handoffs=[first],
    )
    first.handoffs = [second]
    ended = start(approvals, first)
    approvals.reject(by="ann", comments="no")
    assert "not done, rejected: no" in ended.result()
    assert desk.refunded == []


class Server(MCPServer):
    """An MCP server with one tool."""

    name = "tickets"

    def __init__(self) -> None:
        super().__init__()
        self.called: list[Any] = []

    async def connect(self) -> None: ...

    async def cleanup(self) -> None: ...

    async def list_tools(self, *args: Any) -> list[McpTool]:
        return [McpTool.model_validate({"name": "close", "inputSchema": {"type": "object"}})]

    async def call_tool(self, tool_name: str, arguments: Any, *args: Any) -> CallToolResult:
        self.called.append((tool_name, arguments))
        return CallToolResult(content=[TextContent(type="text", text="closed")])

    async def list_prompts(self) -> Any: ...

    async def get_prompt(self, name: str, arguments: Any = None) -> Any: ...


def test_should_gate_the_tools_of_an_mcp_server(approvals: Approvals) -> None:
    server = Server()
    agent = agent_of(calls(Call("c1", "close", {"ticket": 7})), tools=[], mcp_servers=[server])
    ended = start(approvals, agent)
    assert server.called == []
    approvals.approve(by="ann")
    assert "closed" in ended.result()
    assert server.called == [("close", {"ticket": 7})]


def test_should_refuse_a_tool_whose_calls_never_come_here(approvals: Approvals) -> None:
    agent = agent_of(Says("hello"), tools=[WebSearchTool()])
    with pytest.raises(RunFailed, match="has the tool web_search, whose calls nobody can be asked"):
        start(approvals, agent).result()


def test_should_let_a_tool_run_elsewhere_that_the_policy_allows(approvals: Approvals) -> None:
    agent = agent_of(Says("hello"), tools=[WebSearchTool()])
    assert start(approvals, agent, tools={"web_search": allow()}).result() == "hello"


def test_should_ask_where_the_tool_itself_asks(approvals: Approvals) -> None:
    desk = Desk()
    tools: Any = [function_tool(desk.refund, needs_approval=True)]
    ended = start(approvals, agent_of(calls(refund()), tools=tools), tools={"*": allow()})
    assert desk.refunded == []
    approvals.approve(by="ann")
    assert ended.result() == "done: refunded 70 to C-1"


def test_should_ask_where_the_tool_itself_asks_about_these_arguments(approvals: Approvals) -> None:
    desk = Desk()

    async def large(context: Any, arguments: dict[str, Any], call_id: str) -> bool:
        return bool(arguments["amount"] > 75)

    tools: Any = [function_tool(desk.refund, needs_approval=large)]
    agent = agent_of(calls(refund("c1", 70)), calls(refund("c2", 80)), tools=tools)
    ended = start(approvals, agent, tools={"*": allow()})
    assert desk.refunded == [(70, "C-1")]
    approvals.approve(by="ann")
    assert desk.refunded == [(70, "C-1"), (80, "C-1")]
    assert ended.result().startswith("done")


def test_should_ask_nobody_about_an_allowed_tool_whose_defaults_are_left_out(
    approvals: Approvals,
) -> None:
    read: list[int] = []

    @function_tool(strict_mode=False)
    def read_page(number: int = 1) -> str:
        read.append(number)
        return "page"

    agent = agent_of(calls(Call("c1", "read_page", {})), tools=[read_page])
    assert start(approvals, agent, tools={"read_*": allow()}).result() == "done: page"
    assert read == [1]


def test_should_refuse_an_agent_as_a_tool_whose_own_tool_asks(approvals: Approvals) -> None:
    desk = Desk()
    inner = Agent(
        name="inner",
        model=ScriptModel(Script([calls(refund())])),
        tools=[function_tool(desk.refund, needs_approval=True)],
    )
    tool = inner.as_tool("do_it", "does it")
    outer = agent_of(calls(Call("c1", "do_it", {"input": "go"})), tools=[tool])
    ended = start(approvals, outer, tools={"do_it": allow()})
    with pytest.raises(RunFailed, match="has an agent as a tool, inner"):
        ended.result()
    assert desk.refunded == []


class Answer(BaseModel):
    """A typed output."""

    amount: int


def test_should_return_the_output_as_its_type_has_it(approvals: Approvals) -> None:
    agent = agent_of(calls(refund()), Says('{"amount": 70}'), output_type=Answer)

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        found = run(context, agent, "help", requester="agent")
        return [type(found).__name__, found.amount]

    ended = approvals.start(handler, {})
    approvals.approve(by="ann")
    assert ended.result() == ["Answer", 70]


def test_should_refuse_what_keeps_the_conversation_elsewhere(approvals: Approvals) -> None:
    ended = start(approvals, agent_of(), options={"session": object()})
    with pytest.raises(RunFailed, match="options: must not have session"):
        ended.result()
