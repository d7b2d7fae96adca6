"""Stands for a model: finds a person, erases them, and repeats what came of it."""

from typing import Any

from langchain_core.messages import AIMessage, ToolMessage


class StandIn:
    """Answers by the number of tools' answers that it is given."""

    def invoke(self, messages: list[Any]) -> AIMessage:
        """See `Runnable.invoke`."""
        answers = [str(each.text) for each in messages if isinstance(each, ToolMessage)]
        if not answers:
            return _calling("find_person", {"email": "a@b.io"}, "")
        if len(answers) == 1:
            return _calling("erase", {"person": answers[0]}, "They have asked to be forgotten.")
        return AIMessage(answers[-1])


def _calling(tool: str, arguments: dict[str, Any], why: str) -> AIMessage:
    return AIMessage(why, tool_calls=[{"id": tool, "name": tool, "args": arguments}])
