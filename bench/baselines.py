"""The two baselines as deployed functions: the bare engine, and the public pattern's loop.

This file is a function's whole code on the local cloud: it imports nothing of ours.
"""

from __future__ import annotations

from typing import Any

import boto3
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

TABLE = "pattern"


@durable_execution
def bare(_: Any, context: DurableContext) -> str:
    """One callback and one step."""
    context.create_callback(name="callback").result()
    return context.step(lambda _: "approved", name="read")


@durable_execution
def pattern(event: Any, context: DurableContext) -> str:
    """A step that checks, 5 seconds, a step that checks ..., as the pattern's README has it."""
    table = boto3.client("dynamodb")
    key = {"approval_id": {"S": event["id"]}}
    pending = {**key, "status": {"S": "pending"}}
    context.step(lambda _: bool(table.put_item(TableName=TABLE, Item=pending)), name="create")
    while True:
        status = context.step(
            lambda _: str(table.get_item(TableName=TABLE, Key=key)["Item"]["status"]["S"]),
            name="check",
        )
        if status != "pending":
            return status
        context.wait(Duration.from_seconds(5))
