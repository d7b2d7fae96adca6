"""A deploy agent of Strands Agents: it looks by itself, and brings live what people approve."""

import os
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from stand_in import StandIn
from strands import Agent, tool

from hitl_approval.agents import allow, approved_call, ask, deny, run

TOOLS = {"read_*": allow(), "deploy": ask(editable=["version"]), "delete_*": deny("never here")}


@tool
def read_health(service: str) -> str:
    """Say how a service is."""
    return f"{service} 1.4.0 fails one request in ten"


@tool
def deploy(service: str, version: str) -> str:
    """Bring a version of a service live."""
    call = approved_call()  # its key makes your pipeline deploy once
    return f"{service} {version} is live, approved by {call and call.decided_by}"


# Without a callback handler: the default one prints what the model says, into the function's log.
agent = Agent(
    os.environ.get("MODEL") or StandIn(), tools=[read_health, deploy], callback_handler=None
)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> Any:
    """Start it with a task."""
    return run(context, agent, event["task"], requester="deploy-agent", tools=TOOLS)
