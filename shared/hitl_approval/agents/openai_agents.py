"""Agents of the OpenAI Agents SDK."""

from __future__ import annotations

import copy
import json
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from agents import (
    Agent,
    FunctionTool,
    Handoff,
    ModelBehaviorError,
    RunContextWrapper,
    Runner,
    RunResult,
    RunState,
    Tool,
)
from agents.items import ToolApprovalItem
from agents.tool_context import ToolContext
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from hitl_approval.agents.adapter import Said, ToolCall, Turn
from hitl_approval.agents.coroutines import complete
from hitl_approval.agents.gate import Gate
from hitl_approval.domain.errors import InvalidRequest

ELSEWHERE: Final = frozenset(
    {"session", "conversation_id", "previous_response_id", "auto_previous_response_id"}
)
"""Options of `Runner.run` that keep the conversation elsewhere, where a replay would find it
changed."""


class Adapter:
    """See `hitl_approval.agents.adapter.Adapter`.

    Raises:
        InvalidRequest: an option keeps the conversation elsewhere.
    """

    def __init__(self, agent: Agent[Any], options: Mapping[str, Any]) -> None:
        for name in options:
            if name in ELSEWHERE:
                rule = f"must not have {name}: the execution keeps the conversation"
                raise InvalidRequest("options", rule)
        self.agent = agent
        self.options = dict(options)
        self.context = self.options.pop("context", None)

    def start(self, prompt: Any, gate: Gate) -> Turn:
        """See `Adapter.start`."""
        return complete(self._start(prompt, gate))

    def resume(self, state: Any, gate: Gate) -> Turn:
        """See `Adapter.resume`."""
        return complete(self._resume(state, gate))

    def output(self, value: Any) -> Any:
        """See `Adapter.output`."""
        expected = self.agent.output_type
        if value["agent"] != self.agent.name or not isinstance(expected, type):
            return value["output"]
        return TypeAdapter(expected).validate_python(value["output"])

    def conversation(self, state: Any) -> Sequence[Said]:
        """See `Adapter.conversation`."""
        first = state["original_input"]
        items = [{"role": "user", "content": first}] if isinstance(first, str) else first
        return list(_said([*items, *(item["raw_item"] for item in state["generated_items"])]))

    async def _start(self, prompt: Any, gate: Gate) -> Turn:
        gated = _Gated(gate)
        agent = gated.of(self.agent)
        given = {} if self.context is None else {"context": self.context}
        result = await Runner.run(agent, prompt, **given, **self.options)
        return await self._go_on(agent, result, gated)

    async def _resume(self, state: Any, gate: Gate) -> Turn:
        gated = _Gated(gate)
        agent = gated.of(self.agent)
        run_state = await RunState.from_json(
            agent, state, context_override=RunContextWrapper(context=self.context)
        )
        for item in run_state.get_interruptions():
            answer = gate.answers[_id_of(item)]
            if answer.approved is None:
                run_state.reject(item, rejection_message=answer.text)
            else:
                run_state.approve(item)
        result = await Runner.run(agent, run_state, **self.options)
        return await self._go_on(agent, result, gated)

    async def _go_on(self, agent: Agent[Any], result: RunResult, gated: _Gated) -> Turn:
        """Where the run has ended or waits. What the SDK cannot inspect it holds: that goes on."""
        while result.interruptions:
            state = result.to_state()
            free = [item for item in result.interruptions if gated.may_go_on(_call_of(item))]
            if not free:
                gated.check_owned(result.interruptions)
                return _waiting(result)
            for item in free:
                state.approve(item)
            result = await Runner.run(agent, state, **self.options)
        output = to_jsonable_python(result.final_output)
        return Turn(output={"agent": result.last_agent.name, "output": output})


class _Gated:
    """Copies of an agent, and of those that it hands over to, whose tools are behind the gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self._agents: dict[int, Agent[Any]] = {}
        self._tools: dict[int, tuple[Tool, Tool]] = {}
        """Each tool beside its copy: what is kept alive keeps its id."""
        self._asks_itself: set[str] = set()
        """Tools that ask whatever the policy says, by their names."""

    def of(self, agent: Agent[Any]) -> Agent[Any]:
        """The copy of an agent."""
        if id(agent) in self._agents:
            return self._agents[id(agent)]
        made = copy.copy(agent)
        self._agents[id(agent)] = made
        made.tools = [self._tool(tool) for tool in agent.tools]
        made.handoffs = [self._handoff(each) for each in agent.handoffs]
        of_agent = made.get_all_tools  # with those of its MCP servers

        async def get_all_tools(context: RunContextWrapper[Any]) -> list[Tool]:
            return [self._tool(tool) for tool in await of_agent(context)]

        object.__setattr__(made, "get_all_tools", get_all_tools)
        return made

    def may_go_on(self, call: ToolCall) -> bool:
        """Whether nobody need be asked about a call that the SDK has held."""
        if call.tool in self._asks_itself:
            return False
        return self.gate.policy.rule_on(call.tool, call.arguments).action != "ask"

    def check_owned(self, held: Sequence[ToolApprovalItem]) -> None:
        """Refuse calls that an agent has made which is itself a tool.

        Raises:
            InvalidRequest: its tools are not behind the gate.
        """
        for item in held:
            if not any(item.agent is own for own in self._agents.values()):
                rule = (
                    f"has an agent as a tool, {item.agent.name}, whose own tool {item.tool_name} "
                    f"asks: hand over to that agent instead, or let the tool not ask"
                )
                raise InvalidRequest("agent", rule)

    def _handoff(self, handoff: Agent[Any] | Handoff[Any, Any]) -> Any:
        if isinstance(handoff, Agent):
            return self.of(handoff)
        made = copy.copy(handoff)
        hand_over = handoff.on_invoke_handoff

        async def on_invoke_handoff(context: RunContextWrapper[Any], given: str) -> Agent[Any]:
            return self.of(await hand_over(context, given))

        made.on_invoke_handoff = on_invoke_handoff
        to = getattr(handoff, "_agent_ref", None)
        agent = None if to is None else to()
        if agent is not None:
            made._agent_ref = weakref.ref(self.of(agent))
        return made

    def _tool(self, tool: Tool) -> Tool:
        """The copy of a tool; of a copy, itself."""
        if id(tool) not in self._tools:
            made = self._function(tool) if isinstance(tool, FunctionTool) else self._hosted(tool)
            self._tools[id(tool)] = (tool, made)
            self._tools[id(made)] = (made, made)
        return self._tools[id(tool)][1]

    def _hosted(self, tool: Tool) -> Tool:
        """A tool that does not run here, so that no call of it passes the gate."""
        if self.gate.policy.rule_on(tool.name, {}).action == "allow":
            return tool
        rule = (
            f"has the tool {tool.name}, whose calls nobody can be asked about: allow all of them "
            f"in the policy, or take it out"
        )
        raise InvalidRequest("agent", rule)

    def _function(self, tool: FunctionTool) -> FunctionTool:
        made = copy.copy(tool)
        invoke, own = tool.on_invoke_tool, tool.needs_approval
        self.gate.arguments.note(tool.name, tool.params_json_schema)
        if own is not False:
            self._asks_itself.add(tool.name)

        async def needs_approval(
            context: RunContextWrapper[Any], arguments: dict[str, Any], call_id: str
        ) -> bool:
            asks = own if isinstance(own, bool) else await own(context, arguments, call_id)
            return asks or self.gate.policy.rule_on(tool.name, arguments).action == "ask"

        async def on_invoke_tool(context: ToolContext[Any], given: str) -> Any:
            return await self._invoke(tool.name, invoke, context, given)

        made.on_invoke_tool = on_invoke_tool
        made.needs_approval = needs_approval
        return made

    async def _invoke(
        self,
        name: str,
        invoke: Callable[[ToolContext[Any], str], Awaitable[Any]],
        context: ToolContext[Any],
        given: str,
    ) -> Any:
        """Run a tool behind the gate."""
        arguments = _arguments(given)
        ruling = self.gate.rule_on(context.tool_call_id, name, arguments)
        if ruling.action == "ask":  # the SDK has taken an earlier approval for one of this call
            rule = f"has made two calls of the id {context.tool_call_id}: {name} was not run again"
            self.gate.fail(InvalidRequest("agent", rule))
        if ruling.action == "answer":
            return ruling.answer
        if ruling.arguments != arguments:
            given = json.dumps(dict(ruling.arguments))
        with self.gate.running(ruling):
            return await invoke(context, given)


def _waiting(result: RunResult) -> Turn:
    """The calls that wait, and the state without the caller's own context."""
    words = _words_of(result)
    calls = [_call_of(item, words) for item in result.interruptions]
    state = result.to_state().to_json(context_serializer=lambda _: {})
    state["context"]["context"] = {}  # of a mapping too: the caller gives it again
    return Turn(calls=calls, state=state)


def _call_of(item: ToolApprovalItem, why: str = "") -> ToolCall:
    raw = item.raw_item
    given = raw.get("arguments") if isinstance(raw, dict) else getattr(raw, "arguments", None)
    name = item.tool_name or ""
    return ToolCall(id=_id_of(item), tool=name, arguments=_arguments(given or "{}"), why=why)


def _id_of(item: ToolApprovalItem) -> str:
    raw = item.raw_item
    return str(raw["call_id"] if isinstance(raw, dict) else getattr(raw, "call_id", ""))


def _arguments(given: str) -> dict[str, Any]:
    """The arguments as the model gave them.

    Raises:
        ModelBehaviorError: they are no object; the SDK says so to the model or its caller.
    """
    try:
        arguments = json.loads(given or "{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        msg = "the arguments of a tool's call are no JSON object"
        raise ModelBehaviorError(msg)
    return arguments


def _words_of(result: RunResult) -> str:
    """What the model has said last, with its calls."""
    last = result.raw_responses[-1].output if result.raw_responses else []
    items = [item.model_dump() if hasattr(item, "model_dump") else dict(item) for item in last]
    return "\n".join(line.what for line in _said(items) if line.who == "assistant")


def _said(items: Sequence[Mapping[str, Any]]) -> Iterator[Said]:
    for item in items:
        if item.get("type") == "function_call":
            yield Said("model", f"{item['name']}({item['arguments']})")
        elif item.get("type") == "function_call_output":
            yield Said("tool", str(item["output"]))
        elif item.get("role") in {"user", "assistant"}:
            content = item.get("content")
            parts = [{"text": content}] if isinstance(content, str) else content or []
            text = "\n".join(part["text"] for part in parts if part.get("text"))
            if text:
                yield Said(str(item["role"]), text)
