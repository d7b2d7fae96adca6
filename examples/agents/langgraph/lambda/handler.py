"""A privacy agent of LangGraph: it finds people by itself, and erases whom people approve."""

import os
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from stand_in import StandIn

from hitl_approval.agents import allow, ask, run

TOOLS = {"find_*": allow(), "erase": ask()}


def find_person(email: str) -> str:
    """Say which records there are of a person."""
    return f"P-{len(email)}"


def erase(person: str) -> str:
    """Erase all records of a person."""
    return f"erased {person}"


def talk(state: MessagesState) -> dict[str, Any]:
    """Ask the model."""
    model: Any = StandIn()
    if name := os.environ.get("MODEL"):
        from langchain.chat_models import init_chat_model

        model = init_chat_model(name).bind_tools([find_person, erase])
    return {"messages": [model.invoke(state["messages"])]}


graph = StateGraph(MessagesState)
graph.add_node("model", talk)
graph.add_node("tools", ToolNode([find_person, erase]))  # tools in a ToolNode: there they wait
graph.add_edge(START, "model")
graph.add_conditional_edges("model", tools_condition)
graph.add_edge("tools", "model")
agent = graph.compile()


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> Any:
    """Start it with a task."""
    return run(context, agent, event["task"], requester="privacy-agent", tools=TOOLS)
