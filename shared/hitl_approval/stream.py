"""From the audit table's stream, which has everything that was committed, to the publisher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.adapters.items import read_item
from hitl_approval.usecases.publish import PublishService


def publish_batch(batch: Mapping[str, Any], service: PublishService) -> dict[str, Any]:
    """Publish one batch of a DynamoDB stream, in order; other records are passed.

    Returns:
        Lambda's partial batch answer: the first record that could not be published now, from
        which Lambda goes on; empty when there is none.
    """
    records = [record["dynamodb"] for record in batch["Records"]]
    published = service.publish([read_item(record.get("NewImage", {})) for record in records])
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["SequenceNumber"]}
            for record in records[published : published + 1]
        ]
    }
