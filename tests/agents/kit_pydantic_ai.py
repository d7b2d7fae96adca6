"""Agents of pydantic-ai whose model says a script."""

from __future__ import annotations

from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from .script import Desk, Script


def model_of(script: Script) -> FunctionModel:
    def say(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        answers = [
            str(part.content)
            for message in messages
            for part in message.parts
            if isinstance(part, ToolReturnPart | RetryPromptPart)
        ]
        says = script.next(answers)
        made: list[Any] = [TextPart(says.text)] if says.text else []
        made += [ToolCallPart(call.tool, call.arguments, call.id) for call in says.calls]
        return ModelResponse(parts=made)

    return FunctionModel(say)


class MadeKit:
    edits = True

    def agent(self, script: Script, desk: Desk) -> Any:
        return Agent(model_of(script), tools=[desk.refund, desk.read_customer])
