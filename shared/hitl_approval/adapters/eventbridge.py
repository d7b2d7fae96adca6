"""The publisher on EventBridge."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable
from hitl_approval.contract import Events
from hitl_approval.domain.bus_event import MAX_DETAIL, BusEvent

logger = logging.getLogger(__name__)

MAX_ENTRIES = 10
"""Entries of one PutEvents call (EventBridge quotas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBridgePublisher:
    """Puts events on a bus, in order, until one is not taken."""

    client: Any
    event_bus_name: str

    def publish(self, events: Sequence[BusEvent]) -> int:
        """See `ports.EventPublisher.publish`."""
        taken = 0
        for batch in _batches(events):
            try:
                answer = self.client.put_events(Entries=[self._entry(a) for a in batch])
            except CALL_ERRORS as error:
                logger.warning("%s", unavailable("EventBridge", error).details)
                return taken
            for entry in answer["Entries"]:
                if code := entry.get("ErrorCode"):
                    logger.warning("EventBridge did not take an event: %s", code)
                    return taken
                taken += 1
        return taken

    def _entry(self, event: BusEvent) -> dict[str, Any]:
        return {
            "Source": Events.SOURCE,
            "DetailType": event.detail_type,
            "Time": event.at,
            "Detail": event.detail,
            "EventBusName": self.event_bus_name,
        }


def _batches(events: Sequence[BusEvent]) -> Iterator[list[BusEvent]]:
    batch: list[BusEvent] = []
    size = 0
    for event in events:
        length = len(event.detail.encode())
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_DETAIL):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
