"""Agents that are compiled LangGraph graphs, whose tools are in nodes of the class `ToolNode`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables.config import merge_configs
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel
from langgraph.types import Command, Interrupt, StateSnapshot
from pydantic_core import to_jsonable_python

from hitl_approval.agents.adapter import Said, ToolCall, Turn
from hitl_approval.agents.coroutines import complete
from hitl_approval.agents.gate import Answer, Gate
from hitl_approval.agents.langgraph_gate import NAME, Watch, gated
from hitl_approval.agents.langgraph_state import dumped, loaded
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import canonical_json

OPTIONS: Final = frozenset({"config", "context"})
"""Options of `Pregel.ainvoke` that change neither what it returns nor where it stops."""


class Adapter:
    """See `hitl_approval.agents.adapter.Adapter`.

    Raises:
        InvalidRequest: an option would change where the graph stops.
    """

    def __init__(self, agent: Pregel[Any, Any, Any, Any], options: Mapping[str, Any]) -> None:
        if others := sorted(set(options) - OPTIONS):
            raise InvalidRequest("options", f"must be config and context, got {others[0]}")
        self.agent = agent
        self.context = options.get("context")
        self.config: Any = merge_configs(
            {"configurable": {"thread_id": "run"}}, options.get("config")
        )
        self.thread = str(self.config["configurable"]["thread_id"])

    def start(self, prompt: Any, gate: Gate) -> Turn:
        """See `Adapter.start`."""
        given = {"messages": [("user", prompt)]} if isinstance(prompt, str) else prompt
        return complete(self._run(given, gate, InMemorySaver()))

    def resume(self, state: Any, gate: Gate) -> Turn:
        """See `Adapter.resume`."""
        saver = loaded(state, self.thread)
        responses = {
            one.id: _response(one, [gate.answers[call.id] for call in calls])
            for one, calls in _waiting(self._snapshot(saver))
        }
        return complete(self._run(Command(resume=responses), gate, saver))

    def output(self, value: Any) -> Any:
        """See `Adapter.output`."""
        return value

    def conversation(self, state: Any) -> Sequence[Said]:
        """See `Adapter.conversation`."""
        messages = _messages(self._snapshot(loaded(state, self.thread)))
        return [said for message in messages for said in _said(message)]

    def _snapshot(self, saver: InMemorySaver) -> StateSnapshot:
        return self.agent.copy({"checkpointer": saver}).get_state(self.config, subgraphs=True)

    async def _run(self, given: Any, gate: Gate, saver: InMemorySaver) -> Turn:
        graph = gated(self.agent, gate).copy({"checkpointer": saver})
        config = merge_configs(self.config, {"callbacks": [Watch(gate)]})
        result = await graph.ainvoke(given, config, context=self.context)
        snapshot = self._snapshot(saver)
        calls = [call for _, of_one in _waiting(snapshot) for call in of_one]
        if calls:
            return Turn(calls=calls, state=dumped(saver, self.thread))
        if snapshot.next:
            rule = f"has stopped before {', '.join(snapshot.next)}, and no tool waits"
            raise InvalidRequest("agent", rule)
        return Turn(output=_output(result))


def _waiting(snapshot: StateSnapshot) -> list[tuple[Interrupt, list[ToolCall]]]:
    """Each interrupt with the calls that wait in it.

    Raises:
        InvalidRequest: one waits for something else, which nobody answers here.
    """
    made = [
        (call, message.text)
        for message in _messages(snapshot)
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    ]
    why = {call["id"]: said for call, said in made}
    waiting = []
    for one in snapshot.interrupts:
        value = one.value if isinstance(one.value, Mapping) else {}
        asked = value.get(NAME) or _of_middleware(value, [call for call, _ in made])
        if not asked:
            raise InvalidRequest("agent", "waits for something else than a call of a tool")
        calls = [
            ToolCall(
                id=each["id"],
                tool=each["name"],
                arguments=each["args"],
                why=str(why.get(each["id"], "")),
            )
            for each in asked
        ]
        waiting.append((one, calls))
    return waiting


def _of_middleware(value: Mapping[str, Any], made: list[Any]) -> list[Any]:
    """The calls that LangChain's `HumanInTheLoopMiddleware` waits for, with the model's ids."""
    left = list(made)
    asked = []
    for action in value.get("action_requests", ()):
        key = canonical_json([action["name"], action["args"]])
        same = [call for call in left if canonical_json([call["name"], call["args"]]) == key]
        if not same:
            return []
        left.remove(same[-1])
        asked.append(same[-1])
    return asked


def _response(one: Interrupt, answers: Sequence[Answer]) -> Any:
    """What an interrupt goes on with. An approved call passes the gate before it runs."""
    if NAME in one.value:
        return "answered"
    decisions = [
        {"type": "approve"} if answer.approved else {"type": "reject", "message": answer.text}
        for answer in answers
    ]
    return {"decisions": decisions}


def _output(result: Any) -> Any:
    """The structured answer, or the last message's text, or the graph's whole output."""
    if not isinstance(result, Mapping):
        return to_jsonable_python(result)
    if result.get("structured_response") is not None:
        return to_jsonable_python(result["structured_response"])
    messages = result.get("messages")
    if messages and isinstance(messages[-1], BaseMessage):
        return str(messages[-1].text)
    return to_jsonable_python(result)


def _messages(snapshot: StateSnapshot) -> Iterator[BaseMessage]:
    """All messages that a graph has, and the graphs in it."""
    values = snapshot.values if isinstance(snapshot.values, Mapping) else {}
    for channel in values.values():
        if isinstance(channel, list):
            yield from (each for each in channel if isinstance(each, BaseMessage))
    for task in snapshot.tasks:
        if isinstance(task.state, StateSnapshot):
            yield from _messages(task.state)


def _said(message: BaseMessage) -> Iterator[Said]:
    who = {"human": "user", "ai": "model"}.get(message.type, message.name or message.type)
    if text := str(message.text):
        yield Said(who, text)
    for call in message.tool_calls if isinstance(message, AIMessage) else ():
        yield Said("model", f"{call['name']}({canonical_json(call['args'])})")
