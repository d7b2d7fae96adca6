"""What the frameworks' own human-in-the-loop does not keep, counted; docs/agents.md has the table.

Each saves a state that may be resumed. Who saves it, who may answer and that it is resumed once is
left to the application.
"""

from __future__ import annotations

import asyncio
from typing import Any

from agents import Agent as OpenAiAgent
from agents import Runner, RunState, function_tool
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults
from pydantic_ai.messages import ModelMessagesTypeAdapter

from .conftest import Bench
from .kit_openai_agents import ScriptModel
from .kit_pydantic_ai import model_of
from .script import Desk, Script, calls, refund


def test_should_count_a_refund_for_each_time_that_a_state_of_pydantic_ai_is_resumed() -> None:
    desk, script = Desk(), Script([calls(refund())])
    agent: Any = Agent(model_of(script), output_type=[str, DeferredToolRequests])
    agent.tool_plain(requires_approval=True)(desk.refund)
    waiting = agent.run_sync("help")
    saved = waiting.all_messages_json()
    for _ in range(2):  # two workers, or one that died before it had noted that it was done
        agent.run_sync(
            message_history=ModelMessagesTypeAdapter.validate_json(saved),
            deferred_tool_results=DeferredToolResults(approvals={"c1": True}),
        )
    assert len(desk.refunded) == 2


def test_should_count_a_refund_for_each_time_that_a_state_of_openai_agents_is_resumed() -> None:
    desk, script = Desk(), Script([calls(refund())])
    tool = function_tool(desk.refund, needs_approval=True)
    agent = OpenAiAgent(name="support", model=ScriptModel(script), tools=[tool])

    async def restarted() -> None:
        waiting = await Runner.run(agent, "help")
        saved = waiting.to_state().to_string()
        for _ in range(2):
            state = await RunState.from_string(agent, saved)
            [held] = state.get_interruptions()
            state.approve(held)
            await Runner.run(agent, state)

    asyncio.run(restarted())
    assert len(desk.refunded) == 2


def test_should_count_one_refund_however_often_the_function_is_replayed(bench: Bench) -> None:
    run = bench.start(calls(refund()))
    bench.approvals.approve(by="ann")
    assert run.result() == "done: refunded 70 to C-1"
    assert run.invocations >= 2
    assert len(bench.desk.refunded) == 1
