"""Agents of Strands Agents whose model says a script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from strands import Agent, tool
from strands.models import Model

from .script import Desk, Script


class ScriptedModel(Model):
    """A model that streams what a script says."""

    def __init__(self, script: Script) -> None:
        self.script = script

    def update_config(self, **_: Any) -> None:
        return

    def get_config(self) -> Any:
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("an agent asks for structured output, which no script has")

    async def stream(self, messages: Any, *_: Any, **__: Any) -> AsyncIterator[Any]:
        answers = [
            block["toolResult"]["content"][0]["text"]
            for message in messages
            for block in message["content"]
            if "toolResult" in block
        ]
        says = self.script.next(answers)
        yield {"messageStart": {"role": "assistant"}}
        if says.text:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": says.text}}}
            yield {"contentBlockStop": {}}
        for call in says.calls:
            start = {"toolUse": {"toolUseId": call.id, "name": call.tool}}
            yield {"contentBlockStart": {"start": start}}
            given = json.dumps(call.arguments)
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": given}}}}
            yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if says.calls else "end_turn"}}


class MadeKit:
    edits = True

    def agent(self, script: Script, desk: Desk) -> Any:
        return Agent(
            ScriptedModel(script),
            tools=[tool(desk.refund), tool(desk.read_customer)],
            callback_handler=None,
        )
