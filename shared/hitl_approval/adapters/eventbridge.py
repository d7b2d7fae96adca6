"""The announcer on EventBridge."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_approval.adapters.aws import CALL_ERRORS, unavailable
from hitl_approval.contract import Events
from hitl_approval.domain.announcement import MAX_DETAIL, Announcement

logger = logging.getLogger(__name__)

MAX_ENTRIES = 10
"""Entries of one PutEvents call (EventBridge quotas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBridgeAnnouncer:
    """Puts events on a bus, in order, until one is not taken."""

    client: Any
    event_bus_name: str

    def announce(self, announcements: Sequence[Announcement]) -> int:
        """See `ports.Announcer.announce`."""
        taken = 0
        for batch in _batches(announcements):
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

    def _entry(self, announcement: Announcement) -> dict[str, Any]:
        return {
            "Source": Events.SOURCE,
            "DetailType": announcement.detail_type,
            "Time": announcement.at,
            "Detail": announcement.detail,
            "EventBusName": self.event_bus_name,
        }


def _batches(announcements: Sequence[Announcement]) -> Iterator[list[Announcement]]:
    batch: list[Announcement] = []
    size = 0
    for announcement in announcements:
        length = len(announcement.detail.encode())
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_DETAIL):
            yield batch
            batch, size = [], 0
        batch.append(announcement)
        size += length
    if batch:
        yield batch
