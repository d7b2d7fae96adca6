"""A support agent of pydantic-ai: it looks orders up by itself, and refunds what people approve."""

import os
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from pydantic_ai import Agent
from stand_in import StandIn

from hitl_approval.agents import allow, approved_call, ask, field, run

agent = Agent(os.environ.get("MODEL") or StandIn, instructions="Help customers.")
TOOLS = {"find_*": allow(), "refund": [allow(when=field("amount") < 20), ask()]}


@agent.tool_plain
def find_order(number: int) -> str:
    """Look an order up."""
    return f"order {number}: 70 EUR, charged twice"


@agent.tool_plain
def refund(amount: int, order: int) -> str:
    """Pay an order back."""
    call = approved_call()  # its key makes your payment provider pay once
    return f"refunded {amount} EUR for order {order}, approved by {call and call.decided_by}"


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> Any:
    """Start it with a task."""
    return run(context, agent, event["task"], requester="support-agent", tools=TOOLS)
