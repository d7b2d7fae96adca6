"""An agent's loop: harmless tools run at once, dangerous ones when a person has approved."""

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import Outcome, requires_approval

Tool = Callable[..., str]


def refusal(outcome: Outcome) -> str:
    """What the model reads instead of a result, so that it can go on."""
    return f"not done, {outcome.status}: {outcome.comments or 'no reason was given'}"


def find_customer(email: str) -> str:
    """A harmless tool."""
    return f"C-{len(email)}"


@requires_approval(requester="support-agent", on_refused=refusal)
def delete_customer(customer: str, *, reason: str) -> str:
    """A dangerous tool: what the approver sees is this call, and what runs is what they saw."""
    return f"deleted {customer}, who {reason}"


FREE: dict[str, Tool] = {"find_customer": find_customer}
GATED: dict[str, Tool] = {"delete_customer": delete_customer}


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> list[str]:
    answers: list[str] = []
    # In a step: whatever happens later, the model is not asked the same thing twice.
    while call := context.step(lambda _: ask_model(event["task"], answers), name="ask-model"):
        answers.append(use(context, call["tool"], call["arguments"]))
    return answers


def use(context: DurableContext, tool: str, arguments: dict[str, Any]) -> str:
    """A tool's answer."""
    if tool in GATED:
        return GATED[tool](context, **arguments)
    if tool in FREE:
        return context.step(lambda _: FREE[tool](**arguments), name=tool)
    return f"there is no tool {tool}"


def ask_model(task: str, answers: list[str]) -> dict[str, Any] | None:
    """Your model here: the next call, or None at the end. This stand-in deletes a customer."""
    if not answers:
        return {"tool": "find_customer", "arguments": {"email": task}}
    if len(answers) == 1:
        arguments = {"customer": answers[0], "reason": "asked to be forgotten"}
        return {"tool": "delete_customer", "arguments": arguments}
    return None
