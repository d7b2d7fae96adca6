"""Stands for a model: looks the order up, refunds it, and repeats what came of it."""

from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


def _say(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    parts = [part for message in messages for part in message.parts]
    answers = [str(part.content) for part in parts if part.part_kind == "tool-return"]
    if not answers:
        return ModelResponse([ToolCallPart("find_order", {"number": 7})])
    if len(answers) == 1:
        why = TextPart("Order 7 was charged twice, so the customer gets 70 EUR back.")
        return ModelResponse([why, ToolCallPart("refund", {"amount": 70, "order": 7})])
    return ModelResponse([TextPart(answers[-1])])


StandIn = FunctionModel(_say)
