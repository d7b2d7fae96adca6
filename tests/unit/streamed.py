"""Committed events as the audit table's stream brings them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from hitl_approval.domain.bus_event import BusEvent
from hitl_approval.stream import answer_batch
from hitl_approval.testing import World
from tests.anything import any_opening, any_request, declared


def decided(world: World) -> str:
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    world.clock.advance(timedelta(minutes=2))
    world.decisions.decide(approval_id, declared("bob"), "approved", "fine")
    return approval_id


def batch(*events: Any) -> dict[str, Any]:
    """A stream's batch as Lambda delivers it."""
    serialize = TypeSerializer().serialize
    return {
        "Records": [
            {
                "eventName": "INSERT",
                "dynamodb": {
                    "NewImage": {name: serialize(value) for name, value in event.items()},
                    "SequenceNumber": str(1000 + number),
                },
            }
            for number, event in enumerate(events)
        ]
    }


def asked(world: World, *approvers: str, **fields: Any) -> str:
    opening = any_opening(now=world.clock.now(), request=any_request(approvers=approvers), **fields)
    return world.store.create(opening).approval_id


def publish_all(world: World, approval_id: str, *, first: int = 0) -> dict[str, Any]:
    return answer_batch(batch(*world.store.history(approval_id)[first:]), world.publishing.publish)


def awaits(world: World, name: str) -> list[str]:
    page = world.decisions.awaiting(name, limit=20, cursor=None)
    return [item["approval_id"] for item in page.items]


def events(count: int, size: int = 2) -> list[BusEvent]:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return [
        BusEvent(detail_type="Approval Decided", at=at, detail="x" * size) for _ in range(count)
    ]
