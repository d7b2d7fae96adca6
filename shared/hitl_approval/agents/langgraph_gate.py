"""The gate in front of the tools of a LangGraph graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import ToolMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.pregel import Pregel
from langgraph.types import interrupt
from pydantic import PydanticUserError

from hitl_approval.agents.gate import Gate
from hitl_approval.domain.call import ArgumentsChanged
from hitl_approval.domain.errors import InvalidRequest

NAME: Final = "hitl_approval"
"""The key of an interrupt's value that has the calls which wait."""

_PASSED: ContextVar[list[str] | None] = ContextVar("hitl_approval_passed", default=None)
"""The name of the tool that has passed the gate and may start here; empty when it has."""


class Watch(BaseCallbackHandler):
    """Refuses a tool that runs past the gate, unless the policy allows it.

    It may be called by a function of the graph's own, or by another tool.
    """

    raise_error = True

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,  # noqa: ARG002  the framework's name
        *,
        inputs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Called by LangChain before any tool runs, wherever it is called."""
        name = str(serialized.get("name"))
        passed = _PASSED.get()
        if passed == [name]:
            passed.clear()
        elif self.gate.policy.rule_on(name, inputs or {}).action != "allow":
            rule = f"runs {name} outside of a ToolNode, where nobody is asked"
            self.gate.fail(InvalidRequest("agent", rule))


def gated(graph: Any, gate: Gate) -> Any:
    """A copy of a graph whose tools pass the gate, those of the graphs in it too.

    Raises:
        InvalidRequest: a channel's value is not in the newest checkpoint, which alone is kept.
    """
    spread = [name for name, one in graph.channels.items() if type(one).__name__ == "DeltaChannel"]
    if spread:
        raise InvalidRequest("agent", f"must not have a DeltaChannel: {', '.join(spread)}")
    nodes = dict(graph.nodes)
    for name, node in nodes.items():
        if isinstance(node.bound, Pregel):
            inner = gated(node.bound, gate)
            nodes[name] = node.copy({"bound": inner, "subgraphs": [inner]})
        elif type(node.bound) is ToolNode:
            nodes[name] = node.copy({"bound": _gated_tools(node.bound, gate)})
    return graph.copy({"nodes": nodes})


def _gated_tools(node: Any, gate: Gate) -> Runnable[Any, Any]:
    """A node that first interrupts for all calls that people must answer, and then runs each once.

    A node runs from its beginning when the graph goes on: had one tool run before another one's
    interrupt, it would run again.
    """

    def passing(request: ToolCallRequest, execute: Callable[[ToolCallRequest], Any]) -> Any:
        with _passed(gate, request) as passed:
            return passed if isinstance(passed, ToolMessage) else execute(passed)

    async def apassing(request: ToolCallRequest, execute: Callable[[ToolCallRequest], Any]) -> Any:
        with _passed(gate, request) as passed:
            return passed if isinstance(passed, ToolMessage) else await execute(passed)

    own, aown = node._wrap_tool_call, node._awrap_tool_call
    wrap: Any = passing
    awrap: Any = apassing
    if aown is not None:
        awrap = _within(aown, apassing)
    elif own is not None:
        wrap, awrap = _within(own, passing), None
    tools = ToolNode(
        list(node.tools_by_name.values()),
        name=node.name,
        tags=node.tags,
        handle_tool_errors=node._handle_tool_errors,
        messages_key=node._messages_key,
        wrap_tool_call=wrap,
        awrap_tool_call=awrap,
    )

    for name, tool in tools.tools_by_name.items():
        gate.arguments.note(name, _schema(tool))

    async def run(given: Any) -> Any:
        waiting = [
            {"id": call["id"], "name": call["name"], "args": call["args"]}
            for call in tools._parse_input(given)[0]
            if call["name"] in tools.tools_by_name  # nobody is asked about what is not there
            and gate.would_ask(call["id"] or "", call["name"], call["args"])
        ]
        if waiting:
            interrupt({NAME: waiting})
        return await tools.ainvoke(given)

    return RunnableLambda(run, name=node.name)


def _schema(tool: Any) -> Any:
    """The arguments of a tool that the model gives; None where they cannot be written as JSON."""
    given = tool.tool_call_schema
    if isinstance(given, Mapping):
        return given
    with suppress(PydanticUserError):
        return given.model_json_schema()
    return None


def _within(own: Any, passing: Any) -> Any:
    """A graph's own wrapper of tool calls, around the gate."""
    return lambda request, execute: own(request, lambda inner: passing(inner, execute))


@contextmanager
def _passed(gate: Gate, request: ToolCallRequest) -> Iterator[ToolCallRequest | ToolMessage]:
    """The call that may run here, or the answer in its place."""
    call = request.tool_call
    if request.tool is None:  # the node answers that it is not there
        yield request
        return
    ruling = gate.rule_on(call["id"] or "", call["name"], call["args"])
    if ruling.action == "ask":
        msg = f"{call['name']} was not run: the call {call['id']} was changed, or has run"
        gate.fail(ArgumentsChanged([msg]))
    if ruling.action == "answer":
        answer = ruling.answer or "not done"
        yield ToolMessage(answer, name=call["name"], tool_call_id=call["id"], status="error")
        return
    token = _PASSED.set([call["name"]])
    try:
        with gate.running(ruling):
            yield request.override(tool_call={**call, "args": dict(ruling.arguments)})
    finally:
        _PASSED.reset(token)
