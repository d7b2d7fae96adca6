"""Agents of Strands Agents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from strands import Agent, Snapshot
from strands.agent import AgentResult
from strands.types.session import decode_bytes_values, encode_bytes_values

from hitl_approval.agents.adapter import Said, ToolCall, Turn
from hitl_approval.agents.coroutines import complete
from hitl_approval.agents.gate import Gate
from hitl_approval.agents.strands_gate import NAME, Hook
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import canonical_json

ENDS: Final = frozenset({"end_turn", "guardrail_intervened", "stop_sequence", "tool_use"})
"""Reasons to stop that are an agent's end; `tool_use` where a tool's answer is its output."""
FOREIGN: Final = {
    "_background_tasks": "background_tasks, which may run a tool when nobody waits for it",
    "_session_manager": "a session manager: the execution keeps what the agent has come to",
}
"""What an agent must not have, by the attribute that says so."""


_HOOKS: WeakKeyDictionary[Agent, Hook] = WeakKeyDictionary()


class Adapter:
    """See `hitl_approval.agents.adapter.Adapter`.

    Raises:
        InvalidRequest: the agent keeps its state elsewhere, or runs tools in the background.
    """

    def __init__(self, agent: Agent, options: Mapping[str, Any]) -> None:
        for attribute, what in FOREIGN.items():
            if getattr(agent, attribute, None) is not None:
                raise InvalidRequest("agent", f"must not have {what}")
        self.agent = agent
        self.options = dict(options)
        if agent not in _HOOKS:
            _HOOKS[agent] = Hook()
            agent.hooks.add_hook(_HOOKS[agent])

    def start(self, prompt: Any, gate: Gate) -> Turn:
        """See `Adapter.start`."""
        with self._gated(gate):
            return self._run(prompt)

    def resume(self, state: Any, gate: Gate) -> Turn:
        """See `Adapter.resume`. The hook reads the answers; the responses only go on."""
        snapshot = Snapshot.from_dict(decode_bytes_values(state))
        waiting = snapshot.data["interrupt_state"]["interrupts"].values()
        responses = [
            {"interruptResponse": {"interruptId": one["id"], "response": "answered"}}
            for one in waiting
            if one["response"] is None
        ]
        with self._gated(gate):
            self.agent.load_snapshot(snapshot)
            return self._run(responses)

    def output(self, value: Any) -> Any:
        """See `Adapter.output`."""
        own = getattr(self.agent, "_default_structured_output_model", None)
        expected = self.options.get("structured_output_model") or own
        if isinstance(value, Mapping) and expected is not None:
            model: type[BaseModel] = expected
            return model.model_validate(value)
        return value

    def conversation(self, state: Any) -> Sequence[Said]:
        """See `Adapter.conversation`."""
        return [said for message in state["data"]["messages"] for said in _said(message)]

    @contextmanager
    def _gated(self, gate: Gate) -> Iterator[None]:
        """The agent with its tools behind the gate, and afterwards as it was built."""
        hook = _HOOKS[self.agent]
        _check_agents_in(self.agent, gate)
        for name, tool in self.agent.tool_registry.registry.items():
            gate.arguments.note(name, tool.tool_spec["inputSchema"].get("json"))
        with hook.lock:
            built = self.agent.take_snapshot(preset="session")
            hook.gate = gate
            try:
                yield
            finally:
                hook.gate = None
                self.agent.load_snapshot(built)

    def _run(self, prompt: Any) -> Turn:
        result = complete(self.agent.invoke_async(prompt, **self.options))
        if result.stop_reason == "interrupt":
            snapshot = self.agent.take_snapshot(preset="session")
            return Turn(calls=_calls(result), state=encode_bytes_values(snapshot.to_dict()))
        if result.stop_reason not in ENDS:
            raise InvalidRequest("agent", f"has not come to its end: {result.stop_reason}")
        if result.structured_output is not None:
            return Turn(output=result.structured_output.model_dump(mode="json"))
        return Turn(output=str(result).rstrip("\n"))


def _check_agents_in(agent: Agent, gate: Gate) -> None:
    """Refuse an agent that has another one as a tool, whose own tools should wait.

    Raises:
        InvalidRequest: nobody would be asked about them.
    """
    for tool in agent.tool_registry.registry.values():
        inner = getattr(tool, "agent", None)
        if isinstance(inner, Agent):
            for name in inner.tool_registry.registry:
                if gate.policy.rule_on(name, {}).action != "allow":
                    rule = f"has the agent {tool.tool_name} as a tool, whose {name} cannot wait"
                    raise InvalidRequest("agent", f"{rule}: allow it, or make it a tool of its own")
            _check_agents_in(inner, gate)


def _calls(result: AgentResult) -> list[ToolCall]:
    """The calls that wait.

    Raises:
        InvalidRequest: the agent waits for something else too, which nobody answers here.
    """
    interrupts = result.interrupts or ()
    if foreign := sorted({one.name for one in interrupts if one.name != NAME}):
        rule = f"has interrupts of its own, which nobody answers here: {', '.join(foreign)}"
        raise InvalidRequest("agent", rule)
    content = result.message["content"]
    why = "\n".join(block["text"] for block in content if "text" in block)
    uses = {use["toolUseId"]: use for block in content if (use := block.get("toolUse"))}
    asked = [uses[one.reason] for one in interrupts]
    return [
        ToolCall(id=use["toolUseId"], tool=use["name"], arguments=use["input"], why=why)
        for use in asked
    ]


def _said(message: Mapping[str, Any]) -> Iterator[Said]:
    who = "model" if message["role"] == "assistant" else "user"
    for block in message["content"]:
        if "text" in block:
            yield Said(who, block["text"])
        elif use := block.get("toolUse"):
            yield Said("model", f"{use['name']}({canonical_json(use['input'])})")
        elif result := block.get("toolResult"):
            yield Said("tool", "\n".join(str(each.get("text", each)) for each in result["content"]))
