"""PutEvents in as few calls as it takes, up to the first that is not taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.adapters.eventbridge import EventBridgePublisher
from hitl_approval.domain.bus_event import BusEvent


class Bus:
    """Takes events, refuses those that it must."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused
        self.calls: list[int] = []
        self.seen = 0

    def put_events(self, **call: Any) -> dict[str, Any]:
        self.calls.append(len(call["Entries"]))
        answers: list[dict[str, str]] = []
        for entry in call["Entries"]:
            assert (entry["Source"], entry["EventBusName"]) == ("hitl-approval", "bus")
            self.seen += 1
            refused = self.seen in self.refused
            answers.append({"ErrorCode": "ThrottlingException"} if refused else {"EventId": "1"})
        return {"Entries": answers}


def events(count: int, size: int = 2) -> list[BusEvent]:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return [
        BusEvent(detail_type="Approval Decided", at=at, detail="x" * size) for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "size", "calls"),
    [(0, 2, []), (10, 2, [10]), (23, 2, [10, 10, 3]), (5, 90_000, [2, 2, 1])],
)
def test_should_put_as_many_in_a_call_as_it_takes(count: int, size: int, calls: list[int]) -> None:
    bus = Bus()
    publisher = EventBridgePublisher(client=bus, event_bus_name="bus")
    assert publisher.publish(events(count, size)) == count
    assert bus.calls == calls


def test_should_stop_at_an_entry_that_is_not_taken() -> None:
    bus = Bus(12)
    publisher = EventBridgePublisher(client=bus, event_bus_name="bus")
    assert publisher.publish(events(30)) == 11
    assert bus.calls == [10, 10]


def test_should_stop_at_a_call_that_fails() -> None:
    class Down(Bus):
        def put_events(self, **call: Any) -> dict[str, Any]:
            if self.calls:
                raise ClientError({"Error": {"Code": "InternalException"}}, "PutEvents")
            return super().put_events(**call)

    publisher = EventBridgePublisher(client=Down(), event_bus_name="bus")
    assert publisher.publish(events(15)) == 10
