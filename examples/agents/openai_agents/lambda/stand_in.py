"""Stands for a model: reads the table, deletes from it, and repeats what came of it."""

import json
from typing import Any

from agents import Model, ModelResponse, Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

CALLS = [("count_rows", {"table": "users"}), ("run_sql", {"statement": "DELETE FROM users"})]


class StandIn(Model):
    """Answers by the number of tools' answers that it is given."""

    async def get_response(self, *_: Any, **given: Any) -> ModelResponse:
        """See `Model.get_response`."""
        items = given["input"] if isinstance(given["input"], list) else []
        answers = [item["output"] for item in items if item.get("type") == "function_call_output"]
        if len(answers) < len(CALLS):
            tool, arguments = CALLS[len(answers)]
            call: Any = {
                "name": tool,
                "arguments": json.dumps(arguments),
                "call_id": str(len(answers)),
            }
            said: Any = ResponseFunctionToolCall(type="function_call", **call)
        else:
            text = {"type": "output_text", "text": answers[-1], "annotations": []}
            message = {"id": "1", "type": "message", "role": "assistant", "status": "completed"}
            said = ResponseOutputMessage.model_validate({**message, "content": [text]})
        return ModelResponse(output=[said], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        """See `Model.stream_response`: nobody streams here."""
        raise NotImplementedError
