"""From the audit table's stream, which has everything that was committed, to who is fed by it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hitl_approval.adapters.items import read_item
from hitl_approval.domain.errors import Unavailable
from hitl_approval.usecases.publish import Alteration

logger = logging.getLogger(__name__)

_ALTERED = ("Keys", "OldImage", "NewImage")
_EXPIRY = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
"""Who has removed an item whose time to live was over (DynamoDB developer guide, TTL)."""


def answer_batch(
    batch: Mapping[str, Any],
    take: Callable[[Sequence[Mapping[str, Any]]], int],
    *,
    altered: Callable[[Sequence[Alteration]], None] | None = None,
) -> dict[str, Any]:
    """Take one batch of a DynamoDB stream, in order.

    Args:
        batch: as Lambda brings it.
        take: takes these audit events; returns how many of the first it has taken care of.
        altered: takes the events that somebody has changed or removed, which no function ever
            does. Those whose time to live was over are not among them. Default: such records are
            passed over.

    Returns:
        Lambda's partial batch answer: the first record that could not be taken now, from which
        Lambda goes on; empty when there is none.
    """
    others = [record for record in batch["Records"] if record["eventName"] != "INSERT"]
    if altered is not None and others:
        altered(
            [
                Alteration(*(read_item(record["dynamodb"].get(name, {})) for name in _ALTERED))
                for record in others
                if record.get("userIdentity") != _EXPIRY
            ]
        )
    records = [r["dynamodb"] for r in batch["Records"] if r["eventName"] == "INSERT"]
    taken = take([read_item(record.get("NewImage", {})) for record in records])
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["SequenceNumber"]} for record in records[taken : taken + 1]
        ]
    }


def from_queue(batch: Mapping[str, Any]) -> bool:
    """Whether SQS brings this, and not the stream."""
    return any(record.get("eventSource") == "aws:sqs" for record in batch["Records"])


def answer_queue(
    batch: Mapping[str, Any], take: Callable[[Sequence[Mapping[str, Any]]], None]
) -> dict[str, Any]:
    """Take what could not be archived before, each message by itself.

    Args:
        batch: as Lambda brings it.
        take: takes what one message holds; raises Unavailable where it cannot now.

    Returns:
        Lambda's partial batch answer: the messages that are to be brought again.
    """
    failed = []
    for record in batch["Records"]:
        try:
            take(json.loads(record["body"]))
        except (Unavailable, ValueError, TypeError) as error:
            logger.warning("not archived yet: %s", type(error).__name__)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
