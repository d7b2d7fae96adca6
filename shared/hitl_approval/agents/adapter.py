"""What the loop asks of a framework, and how an agent's framework is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, NamedTuple, Protocol, Self, cast

from hitl_approval.agents.gate import Gate
from hitl_approval.domain.errors import InvalidRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call of a tool, as the model has made it.

    Attributes:
        id: the framework's id of the call, unique within a turn.
        tool: the tool's name.
        arguments: JSON values by name, as the model gave them.
        why: what the model said with the call; empty if it said nothing.
    """

    id: str
    tool: str
    arguments: Mapping[str, Any]
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The call as JSON values."""
        arguments = dict(self.arguments)
        return {"id": self.id, "tool": self.tool, "arguments": arguments, "why": self.why}


class Said(NamedTuple):
    """One line of a conversation."""

    who: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an agent has come to: its end, or calls that wait for people.

    Attributes:
        calls: the calls that wait; none: the agent has ended.
        state: JSON values from which the framework goes on; None at the end.
        output: the agent's output as JSON values; None before the end.
    """

    calls: Sequence[ToolCall] = ()
    state: Any = None
    output: Any = None

    def to_json(self) -> dict[str, Any]:
        """The turn as JSON values."""
        if not self.calls:
            return {"output": self.output}
        return {"calls": [call.to_json() for call in self.calls], "state": self.state}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        calls = tuple(ToolCall(**call) for call in values.get("calls", ()))
        return cls(calls=calls, state=values.get("state"), output=values.get("output"))


class Adapter(Protocol):
    """Runs agents of one framework. `start` and `resume` are called within a durable step.

    Each tool that the model wants to use is put to the gate before it runs:
    `gate.rule_on(id, tool, arguments)`. The adapter then runs it with `ruling.arguments`, within
    `gate.running(ruling)`, or answers the model `ruling.answer` in its place, or interrupts the
    agent, so that the call is one of `Turn.calls`. `gate.arguments.note(tool, schema)` it tells
    which arguments the agent's tools have.
    """

    def start(self, prompt: Any, gate: Gate) -> Turn:
        """Run the agent until it ends or has interrupted."""

    def resume(self, state: Any, gate: Gate) -> Turn:
        """Go on from a state. `gate.answers` has an answer to each call that waited, by its id."""

    def output(self, value: Any) -> Any:
        """The agent's output, as its type has it, of JSON values."""

    def conversation(self, state: Any) -> Sequence[Said]:
        """What was said so far, by whom, oldest first."""


class _Framework(NamedTuple):
    module: str
    """Of the agent's class, or the package that it is in."""
    class_name: str
    adapter: str
    """The module here that has the class `Adapter`, made of an agent and its options."""


FRAMEWORKS: Final = (
    _Framework("pydantic_ai", "AbstractAgent", "pydantic_ai"),
    _Framework("agents", "Agent", "openai_agents"),
    _Framework("strands", "Agent", "strands"),
    _Framework("langgraph", "Pregel", "langgraph"),
)
"""By the class that every agent of the framework has among its bases."""


def adapter_of(agent: Any, options: Mapping[str, Any]) -> Adapter:
    """The adapter for an agent.

    Args:
        agent: of one of the four frameworks.
        options: keyword arguments for the framework's own call that runs the agent.

    Raises:
        InvalidRequest: it is no agent that is known here.
    """
    for base in type(agent).__mro__:
        for framework in FRAMEWORKS:
            package = base.__module__ == framework.module or base.__module__.startswith(
                f"{framework.module}."
            )
            if package and base.__name__ == framework.class_name:
                module = import_module(f"hitl_approval.agents.{framework.adapter}")
                return cast(Adapter, module.Adapter(agent, options))
    rule = (
        "must be an agent of pydantic-ai, the OpenAI Agents SDK or Strands Agents, or a compiled "
        f"LangGraph graph, got {type(agent).__module__}.{type(agent).__qualname__}"
    )
    raise InvalidRequest("agent", rule)
