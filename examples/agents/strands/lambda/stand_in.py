"""Stands for a model: looks at the service, goes back a version, and repeats what came of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

from strands.models import Model

CALLS = [
    ("read_health", {"service": "shop"}),
    ("deploy", {"service": "shop", "version": "1.3.9"}),
]


class StandIn(Model):
    """Answers by the number of tools' answers that it is given."""

    def update_config(self, **_: Any) -> None:
        """See `Model.update_config`: there is nothing to set."""

    def get_config(self) -> Any:
        """See `Model.get_config`."""
        return {}

    def structured_output(self, *_: Any, **__: Any) -> Any:
        """See `Model.structured_output`: nobody asks for it here."""
        raise NotImplementedError

    async def stream(self, messages: Any, *_: Any, **__: Any) -> AsyncIterator[Any]:
        """See `Model.stream`."""
        blocks = [block for message in messages for block in message["content"]]
        answers = [b["toolResult"]["content"][0]["text"] for b in blocks if "toolResult" in b]
        yield {"messageStart": {"role": "assistant"}}
        if len(answers) == len(CALLS):
            yield {"contentBlockDelta": {"delta": {"text": answers[-1]}}}
        else:
            name, given = CALLS[len(answers)]
            use = {"toolUseId": f"call-{len(answers)}", "name": name}
            yield {"contentBlockStart": {"start": {"toolUse": use}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": json.dumps(given)}}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "end_turn" if len(answers) == 2 else "tool_use"}}
