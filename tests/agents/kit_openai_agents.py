"""Agents of the OpenAI Agents SDK whose model says a script."""

from __future__ import annotations

import json
from typing import Any

from agents import Agent, Model, ModelResponse, Usage, function_tool, set_tracing_disabled
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)

from .script import Desk, Script

set_tracing_disabled(disabled=True)


class ScriptModel(Model):
    def __init__(self, script: Script) -> None:
        self.script = script

    async def get_response(
        self,
        system_instructions: Any,
        input: Any,  # noqa: A002  as the SDK calls it
        *args: Any,
        **kwargs: Any,
    ) -> ModelResponse:
        given = [] if isinstance(input, str) else input
        answers = [
            str(item["output"]) for item in given if item.get("type") == "function_call_output"
        ]
        says = self.script.next(answers)
        output: list[Any] = []
        if says.text:
            text = ResponseOutputText(annotations=[], text=says.text, type="output_text")
            output.append(
                ResponseOutputMessage(
                    id="m", content=[text], role="assistant", status="completed", type="message"
                )
            )
        output += [
            ResponseFunctionToolCall(
                arguments=json.dumps(call.arguments),
                call_id=call.id,
                name=call.tool,
                type="function_call",
            )
            for call in says.calls
        ]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("an agent streams, which a step cannot keep")


class MadeKit:
    edits = True

    def agent(self, script: Script, desk: Desk) -> Any:
        tools: Any = [function_tool(desk.refund), function_tool(desk.read_customer)]
        return Agent(name="support", model=ScriptModel(script), tools=tools)
