"""From the audit table's stream, which has everything that was committed, to who is fed by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hitl_approval.adapters.items import read_item


def answer_batch(
    batch: Mapping[str, Any], take: Callable[[Sequence[Mapping[str, Any]]], int]
) -> dict[str, Any]:
    """Take one batch of a DynamoDB stream, in order.

    Args:
        batch: as Lambda brings it.
        take: takes these audit events; returns how many of the first it has taken care of.

    Returns:
        Lambda's partial batch answer: the first record that could not be taken now, from which
        Lambda goes on; empty when there is none.
    """
    records = [record["dynamodb"] for record in batch["Records"]]
    taken = take([read_item(record.get("NewImage", {})) for record in records])
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["SequenceNumber"]} for record in records[taken : taken + 1]
        ]
    }
