"""A SQL agent of the OpenAI Agents SDK: it counts by itself, and changes what people approve."""

import os
import sqlite3
from typing import Any

from agents import Agent, function_tool
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from stand_in import StandIn

from hitl_approval.agents import allow, ask, run

database = sqlite3.connect(":memory:", check_same_thread=False)  # yours here
database.executescript("CREATE TABLE users (name); INSERT INTO users VALUES ('ann'), ('bob')")


@function_tool
def count_rows(table: str) -> str:
    """Say how many rows a table has."""
    known = {"users": "SELECT count(*) FROM users"}
    return f"{database.execute(known[table]).fetchone()[0]} rows"


@function_tool
def run_sql(statement: str) -> str:
    """Change the database."""
    return f"{database.execute(statement).rowcount} rows changed"


agent = Agent(name="sql", model=os.environ.get("MODEL") or StandIn(), tools=[count_rows, run_sql])
TOOLS = {"count_*": allow(), "run_sql": ask(editable=["statement"])}


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> Any:
    """Start it with a task."""
    return run(context, agent, event["task"], requester="sql-agent", tools=TOOLS)
