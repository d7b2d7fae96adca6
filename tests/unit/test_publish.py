"""From the audit table's stream to the event bus: in order, nothing skipped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from hitl_approval.adapters.eventbridge import EventBridgePublisher
from hitl_approval.domain.bus_event import BusEvent
from hitl_approval.domain.errors import Unavailable, UnreadableRecord
from hitl_approval.domain.policy import OnTimeout, Policy, Quorum
from hitl_approval.stream import answer_batch
from hitl_approval.testing import World, in_memory
from tests.anything import any_opening, any_request, declared


@pytest.fixture
def world() -> World:
    return in_memory()


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


def test_should_publish_each_committed_event_in_order(world: World) -> None:
    approval_id = decided(world)

    answer = answer_batch(batch(*world.store.history(approval_id)), world.publishing.publish)

    assert answer == {"batchItemFailures": []}
    assert [a.detail_type for a in world.publisher.published] == [
        "Approval Requested",
        "Approval Decided",
    ]
    last = json.loads(world.publisher.published[-1].detail)
    assert last["event_id"] == f"{approval_id}-2"
    assert (last["status"], last["actor"], last["comments"]) == ("approved", "bob", "fine")
    assert last["subject"] == "Q4 Budget Proposal"


def test_should_go_on_from_the_first_event_that_was_not_taken(world: World) -> None:
    events = [event for _ in range(2) for event in world.store.history(decided(world))]
    world.publisher.room = 3

    answer = answer_batch(batch(*events), world.publishing.publish)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1003"}]}
    assert world.meter.counted == ["Requested", "Approved", "Requested"]


def test_should_measure_how_long_people_took(world: World) -> None:
    answer_batch(batch(*world.store.history(decided(world))), world.publishing.publish)
    assert world.meter.measured == [("TimeToDecision", 120.0, "Seconds")]


def test_should_not_take_silence_for_an_answer(world: World) -> None:
    opening = any_opening(now=world.clock.now(), policy=Policy(on_timeout=OnTimeout.reject()))
    approval_id = world.store.create(opening).approval_id
    world.clock.advance(timedelta(hours=2))
    world.requests.check_status(approval_id)

    answer_batch(batch(*world.store.history(approval_id)), world.publishing.publish)

    assert world.meter.counted == ["Requested", "Rejected"]
    assert world.meter.measured == []


def asked(world: World, *approvers: str, **fields: Any) -> str:
    opening = any_opening(now=world.clock.now(), request=any_request(approvers=approvers), **fields)
    return world.store.create(opening).approval_id


def publish_all(world: World, approval_id: str, *, first: int = 0) -> dict[str, Any]:
    return answer_batch(batch(*world.store.history(approval_id)[first:]), world.publishing.publish)


def awaits(world: World, name: str) -> list[str]:
    page = world.decisions.awaiting(name, limit=20, cursor=None)
    return [item["approval_id"] for item in page.items]


def test_should_put_a_request_before_those_who_may_decide_it(world: World) -> None:
    approval_id = asked(world, "ann", "bob", "rita")
    publish_all(world, approval_id)
    assert awaits(world, "ann") == awaits(world, "bob") == [approval_id]
    assert awaits(world, "rita") == []  # who asked cannot decide


def test_should_take_it_from_who_has_voted_and_from_all_once_decided(world: World) -> None:
    approval_id = asked(world, "ann", "bob", "cid", policy=Policy(quorum=Quorum.at_least(2)))
    publish_all(world, approval_id)
    world.decisions.decide(approval_id, declared("Ann"), "approved")
    publish_all(world, approval_id, first=1)
    assert awaits(world, "ann") == []
    assert awaits(world, "bob") == [approval_id]
    world.decisions.decide(approval_id, declared("bob"), "approved")
    publish_all(world, approval_id, first=2)
    assert awaits(world, "cid") == []


@pytest.mark.parametrize("end", ["timeout", "cancelled"])
def test_should_take_it_from_all_however_it_ends(world: World, end: str) -> None:
    approval_id = asked(world, "ann")
    publish_all(world, approval_id)
    if end == "timeout":
        world.clock.advance(timedelta(hours=2))
        world.requests.check_status(approval_id)
    else:
        world.decisions.cancel(approval_id, declared("rita"))
    publish_all(world, approval_id, first=1)
    assert awaits(world, "ann") == []


def test_should_not_bring_back_what_has_ended_when_a_batch_comes_again(world: World) -> None:
    approval_id = asked(world, "ann")
    world.decisions.decide(approval_id, declared("ann"), "approved")
    for _ in range(2):
        publish_all(world, approval_id)
        assert awaits(world, "ann") == []


def test_should_go_on_from_the_first_event_that_was_not_filed(world: World) -> None:
    first, second = asked(world, "ann"), asked(world, "ann")
    events = [*world.store.history(first), *world.store.history(second)]
    world.inbox.failures = 1
    assert answer_batch(batch(*events), world.publishing.publish)["batchItemFailures"] == [
        {"itemIdentifier": "1000"}
    ]
    assert awaits(world, "ann") == []
    assert world.meter.counted == []
    answer_batch(batch(*events), world.publishing.publish)
    assert sorted(awaits(world, "ann")) == sorted([first, second])


NOT_OURS: list[Any] = [
    {},
    {"approval_id": "x", "sequence": 1},
    {"approval_id": "x", "sequence": 1, "event": "escalated", "details": {}, "at": "now"},
    {"approval_id": "x", "sequence": 1, "event": ["approved"], "blob": b"\x00", "tags": {"a"}},
]


@pytest.mark.parametrize("foreign", [*NOT_OURS, "unknown", "naive", "text", "long"], ids=str)
def test_should_pass_what_is_none_of_our_events(
    world: World, foreign: Any, caplog: pytest.LogCaptureFixture
) -> None:
    before, behind = decided(world), asked(world, "ann")
    real = world.store.history(before)[-1]
    altered: dict[str, dict[str, Any]] = {
        "unknown": {"event": "escalated"},
        "naive": {"at": "2026-01-02T03:04:05"},
        "text": {"details": "secret"},
        "long": {"details": {"comments": "x" * 210_000}},
    }
    if isinstance(foreign, str):
        foreign = {**real, **altered[foreign]}
    events = [*world.store.history(before), foreign, *world.store.history(behind)]

    answer = answer_batch(batch(*events), world.publishing.publish)

    assert answer == {"batchItemFailures": []}
    assert awaits(world, "ann") == [behind]
    assert world.meter.counted.count("PassedOver") == 1
    assert "secret" not in caplog.text


def test_should_pass_a_record_of_the_stream_that_has_no_image(world: World) -> None:
    events = batch(*world.store.history(decided(world)))
    del events["Records"][0]["dynamodb"]["NewImage"]
    assert answer_batch(events, world.publishing.publish) == {"batchItemFailures": []}
    assert len(world.publisher.published) == 1


def test_should_tell_of_an_event_whose_row_cannot_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = decided(world)

    def unreadable(*_: Any) -> None:
        raise UnreadableRecord(approval_id, "policy")

    monkeypatch.setattr(type(world.store), "get", unreadable)
    assert publish_all(world, approval_id) == {"batchItemFailures": []}
    assert json.loads(world.publisher.published[-1].detail)["subject"] is None


def test_should_bring_again_what_the_store_cannot_say_now(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = decided(world), decided(world)
    get = type(world.store).get

    def sometimes(self: Any, approval_id: str) -> Any:
        if approval_id == second:
            raise Unavailable("throttled")
        return get(self, approval_id)

    monkeypatch.setattr(type(world.store), "get", sometimes)
    events = [*world.store.history(first), *world.store.history(second)]
    assert answer_batch(batch(*events), world.publishing.publish)["batchItemFailures"] == [
        {"itemIdentifier": "1002"}
    ]
    assert len(world.publisher.published) == 2


def test_should_pass_what_the_inbox_takes_never(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = asked(world, "ann"), asked(world, "bob")
    add = type(world.inbox).add

    def refuses(self: Any, approval: Any, names: Any) -> None:
        if approval.approval_id == first:
            raise ClientError({"Error": {"Code": "ValidationException"}}, "BatchWriteItem")
        add(self, approval, names)

    monkeypatch.setattr(type(world.inbox), "add", refuses)
    events = [*world.store.history(first), *world.store.history(second)]
    assert answer_batch(batch(*events), world.publishing.publish) == {"batchItemFailures": []}
    assert awaits(world, "bob") == [second]
    assert world.meter.counted.count("PassedOver") == 1


class Bus:
    """Takes events, refuses those that it is told to."""

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
