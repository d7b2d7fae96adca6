"""Takes records of a stream, and notes what it was brought."""

from __future__ import annotations

import time
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do with each record what its id says: take it, be slow, fail; `later-2`: report it twice."""
    ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    noted = boto3.client("dynamodb").update_item(
        TableName="brought",
        Key={"id": {"S": context.function_name}},
        UpdateExpression="SET brought = list_append(if_not_exists(brought, :none), :batch)",
        ExpressionAttributeValues={":none": {"L": []}, ":batch": {"L": [{"S": ",".join(ids)}]}},
        ReturnValues="UPDATED_NEW",
    )
    batches = len(noted["Attributes"]["brought"]["L"])
    if any(name.startswith("slow") for name in ids):
        time.sleep(3)
    if any(name.startswith("poison") for name in ids):
        msg = "cannot be taken"
        raise RuntimeError(msg)
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
            for record, name in zip(event["Records"], ids, strict=True)
            if name.startswith("later") and batches <= int(name.partition("-")[2])
        ]
    }
