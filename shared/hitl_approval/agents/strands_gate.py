"""The gate in front of the tools of a Strands agent."""

from __future__ import annotations

from asyncio import CancelledError
from threading import Lock
from typing import Any, Final

from strands.hooks import BeforeToolCallEvent, HookProvider, HookRegistry
from strands.types.tools import AgentTool, ToolGenerator, ToolUse

from hitl_approval.agents.gate import Gate, Ruling
from hitl_approval.domain.call import ArgumentsChanged
from hitl_approval.domain.text import canonical_json

NAME: Final = "hitl_approval"
"""Of the interrupts that wait for people."""


class _Gated(AgentTool):
    """A tool that runs with exactly the arguments of a ruling."""

    def __init__(self, tool: AgentTool, gate: Gate, ruling: Ruling) -> None:
        super().__init__()
        self._tool = tool
        self._gate = gate
        self._ruling = ruling

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tool, name)

    @property
    def tool_name(self) -> str:
        return self._tool.tool_name

    @property
    def tool_spec(self) -> Any:
        return self._tool.tool_spec

    @property
    def tool_type(self) -> str:
        return self._tool.tool_type

    async def stream(
        self, tool_use: ToolUse, invocation_state: dict[str, Any], **kwargs: Any
    ) -> ToolGenerator:
        if canonical_json(tool_use["input"]) != canonical_json(self._ruling.arguments):
            msg = f"{tool_use['name']} was not run: a hook or a middleware has changed the call"
            self._gate.fail(ArgumentsChanged([msg]))
        events = self._tool.stream(tool_use, invocation_state, **kwargs)
        while True:
            with self._gate.running(self._ruling):  # not over a yield: Strands may not come back
                try:
                    event = await anext(events, None)
                except (Exception, GeneratorExit, CancelledError):
                    raise
                except BaseException as error:  # which Strands drops, with the tool's result
                    self._gate.problem = self._gate.problem or error
                    raise
            if event is None:
                return
            yield event


class Hook(HookProvider):
    """Puts each call of a tool to the gate, while the agent is run here."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.gate: Gate | None = None

    def register_hooks(self, registry: HookRegistry, **_: Any) -> None:
        """Called by Strands when the hook is added."""
        registry.add_callback(BeforeToolCallEvent, self.before)

    def before(self, event: BeforeToolCallEvent) -> None:
        """Called by Strands before a tool runs."""
        gate, tool, use = self.gate, event.selected_tool, event.tool_use
        if gate is None or getattr(tool, "tool_type", None) == "structured_output":
            return  # run elsewhere; or the framework's own way to an output
        if tool is None:
            event.cancel_tool = f"there is no tool {use['name']}"  # so nobody is asked about it
            return
        ruling = gate.rule_on(use["toolUseId"], use["name"], use["input"])
        if ruling.action == "run":
            event.tool_use = {**use, "input": dict(ruling.arguments)}
            event.selected_tool = _Gated(tool, gate, ruling)
            return
        if ruling.action == "ask":
            event.interrupt(NAME, reason=use["toolUseId"])  # raises, unless it has been answered
            msg = f"{use['name']} was not run again: the call {use['toolUseId']} was approved once"
            gate.fail(ArgumentsChanged([msg]))
        event.cancel_tool = ruling.answer or "not done"  # an empty text would not cancel
