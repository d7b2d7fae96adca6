"""Agents of pydantic-ai."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic_ai import DeferredToolRequests, DeferredToolResults, ToolApproved, ToolDenied
from pydantic_ai.agent import AbstractAgent
from pydantic_ai.exceptions import ApprovalRequired
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    TextPart,
    ToolCallPart,
)
from pydantic_ai.toolsets import AbstractToolset, CombinedToolset, WrapperToolset
from pydantic_core import to_jsonable_python

from hitl_approval.agents.adapter import Said, ToolCall, Turn
from hitl_approval.agents.coroutines import complete
from hitl_approval.agents.gate import Gate
from hitl_approval.domain.errors import InvalidRequest

OURS: Final = frozenset({"output_type", "message_history", "deferred_tool_results"})
"""Options of `Agent.run` that are the loop's own."""
UNGATED: Final = frozenset({"toolsets", "capabilities", "spec"})
"""Options of `Agent.run` that would bring tools past the gate."""


@dataclass
class _Gated(WrapperToolset[Any]):
    """All tools of an agent, behind the gate."""

    gate: Gate

    async def get_tools(self, ctx: Any) -> dict[str, Any]:
        """The tools of this step of the agent."""
        tools = await super().get_tools(ctx)
        for name, tool in tools.items():
            self.gate.arguments.note(name, tool.tool_def.parameters_json_schema)
        return tools

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        """Run the tool, interrupt the agent or answer the model."""
        call_id = ctx.tool_call_id or ""
        given = _given(ctx.messages, call_id)
        ruling = self.gate.rule_on(
            call_id, name, to_jsonable_python(tool_args) if given is None else given
        )
        if ruling.action == "ask":
            raise ApprovalRequired
        if ruling.action == "answer":
            return ruling.answer
        with self.gate.running(ruling):
            return await super().call_tool(name, tool_args, ctx, tool)


class Adapter:
    """See `hitl_approval.agents.adapter.Adapter`.

    Raises:
        InvalidRequest: an option is the loop's own, or brings tools past the gate.
    """

    def __init__(self, agent: AbstractAgent[Any, Any], options: Mapping[str, Any]) -> None:
        for name in options:
            if name in OURS:
                raise InvalidRequest("options", f"must not have {name}, which run gives itself")
            if name in UNGATED:
                rule = f"must not have {name}: give it to the agent, so that its tools are gated"
                raise InvalidRequest("options", rule)
        self.agent = agent
        self.options = dict(options)

    def start(self, prompt: Any, gate: Gate) -> Turn:
        """See `Adapter.start`."""
        return self._run(gate, prompt)

    def resume(self, state: Any, gate: Gate) -> Turn:
        """See `Adapter.resume`."""
        messages = ModelMessagesTypeAdapter.validate_python(state)
        results = DeferredToolResults()
        for call_id, answer in gate.answers.items():
            if answer.approved is None:
                results.approvals[call_id] = ToolDenied(answer.text)
            else:
                arguments = dict(answer.approved.arguments)
                results.approvals[call_id] = ToolApproved(override_args=arguments)
        return self._run(gate, None, message_history=messages, deferred_tool_results=results)

    def output(self, value: Any) -> Any:
        """See `Adapter.output`."""
        expected = self.agent.output_type
        return TypeAdapter(expected).validate_python(value) if isinstance(expected, type) else value

    def conversation(self, state: Any) -> Sequence[Said]:
        """See `Adapter.conversation`."""
        return list(_said(ModelMessagesTypeAdapter.validate_python(state)))

    def _run(self, gate: Gate, prompt: Any, **more: Any) -> Turn:
        with self._gated(gate):
            result = complete(
                self.agent.run(prompt, output_type=self._output_type(), **self.options, **more)
            )
        messages = result.all_messages()
        if not isinstance(result.output, DeferredToolRequests):
            return Turn(output=to_jsonable_python(result.output))
        if result.output.calls:
            names = ", ".join(sorted({call.tool_name for call in result.output.calls}))
            rule = f"has tools that run elsewhere, which nobody answers here: {names}"
            raise InvalidRequest("agent", rule)
        why = _words_of(messages)
        calls = [
            ToolCall(
                id=part.tool_call_id,
                tool=part.tool_name,
                arguments=to_jsonable_python(part.args_as_dict()),
                why=why,
            )
            for part in result.output.approvals
        ]
        state = ModelMessagesTypeAdapter.dump_python(messages, mode="json")
        return Turn(calls=calls, state=state)

    @contextmanager
    def _gated(self, gate: Gate) -> Iterator[None]:
        """The agent with all its tools behind the gate."""
        toolset: AbstractToolset[Any] = CombinedToolset(list(self.agent.toolsets))
        with self.agent.override(toolsets=[_Gated(toolset, gate)], tools=[]):
            yield

    def _output_type(self) -> Any:
        """What the agent returns, or the calls that wait."""
        own = self.agent.output_type
        several = list(own) if isinstance(own, Sequence) and not isinstance(own, str) else [own]
        return None if DeferredToolRequests in several else [*several, DeferredToolRequests]


def _given(messages: Sequence[ModelMessage], call_id: str) -> dict[str, Any] | None:
    """The arguments as the model gave them."""
    for message in reversed(messages):
        if isinstance(message, ModelResponse):
            for part in message.parts:
                if isinstance(part, ToolCallPart) and part.tool_call_id == call_id:
                    given: dict[str, Any] = to_jsonable_python(part.args_as_dict())
                    return given
    return None


def _words_of(messages: Sequence[ModelMessage]) -> str:
    """What the model has said last, with its calls."""
    for message in reversed(messages):
        if isinstance(message, ModelResponse):
            return "\n".join(part.content for part in message.parts if isinstance(part, TextPart))
    return ""


def _said(messages: Sequence[ModelMessage]) -> Iterator[Said]:
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                yield Said("model", f"{part.tool_name}({part.args_as_json_str()})")
            elif isinstance(part, TextPart):
                yield Said("model", part.content)
            elif part.part_kind in {"user-prompt", "tool-return"}:
                who = getattr(part, "tool_name", "user")
                content = part.content
                yield Said(who, content if isinstance(content, str) else str(content))
