"""Records of the audit table's stream: what is passed, what is brought again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.domain.errors import Unavailable, UnreadableRecord
from hitl_approval.domain.salted import erase
from hitl_approval.stream import answer_batch
from hitl_approval.testing import World
from tests.unit.streamed import asked, awaits, batch, decided, publish_all

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


def altered(name: str, event: Any, **fields: Any) -> dict[str, Any]:
    """A record of the stream as it is when somebody has changed or removed an audit event."""
    record: dict[str, Any] = batch(event)["Records"][0]
    keys = {key: record["dynamodb"]["NewImage"][key] for key in ("approval_id", "sequence")}
    record["dynamodb"] |= {"Keys": keys}
    if name == "REMOVE":
        del record["dynamodb"]["NewImage"]
    return record | {"eventName": name, **fields}


@pytest.mark.parametrize("how", ["MODIFY", "REMOVE"])
def test_should_count_what_somebody_has_changed_or_removed_and_publish_nothing_of_it(
    world: World, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    approval_id = decided(world)
    events = world.store.history(approval_id)
    forged = {**events[-1], "actor": "mallory"}
    records = [*batch(*events)["Records"], altered(how, forged)]

    service = world.publishing
    answer = answer_batch({"Records": records}, service.publish, altered=service.note_altered)

    assert answer == {"batchItemFailures": []}
    assert world.meter.counted.count("AlteredTrail") == 1
    assert len(world.publisher.published) == len(events)
    assert approval_id in caplog.text
    assert "mallory" not in caplog.text


def test_should_count_an_erasure_for_itself_and_not_as_tampering(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    before = world.store.history(decided(world))[-1]
    after = erase(before, "bob", at="2026-02-01T00:00:00.000Z")
    assert after is not None
    record = altered("MODIFY", after)
    record["dynamodb"]["OldImage"] = batch(before)["Records"][0]["dynamodb"]["NewImage"]
    service = world.publishing

    answer_batch({"Records": [record]}, service.publish, altered=service.note_altered)

    assert world.meter.counted == ["ErasedValues"] * 2
    assert "bob" not in caplog.text
    assert world.publisher.published == []


def test_should_count_tampering_that_goes_with_an_erasure(world: World) -> None:
    before = world.store.history(decided(world))[-1]
    after = erase(before, "bob", at="2026-02-01T00:00:00.000Z")
    assert after is not None
    details = {**after["details"], "decision": "rejected"}
    for forged in ({**after, "details": details}, {**after, "actor": "mallory"}, before):
        record = altered("MODIFY", forged)
        record["dynamodb"]["OldImage"] = batch(before)["Records"][0]["dynamodb"]["NewImage"]
        service = world.publishing
        answer_batch({"Records": [record]}, service.publish, altered=service.note_altered)
    assert world.meter.counted.count("AlteredTrail") == 3
    assert "ErasedValues" not in world.meter.counted


def test_should_take_what_has_expired_for_no_tampering(world: World) -> None:
    event = world.store.history(decided(world))[-1]
    by_dynamodb = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    record = altered("REMOVE", event, userIdentity=by_dynamodb)
    service = world.publishing
    answer_batch({"Records": [record]}, service.publish, altered=service.note_altered)
    assert "AlteredTrail" not in world.meter.counted


def test_should_count_an_altered_event_whose_key_nobody_can_read(world: World) -> None:
    record = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "1"}}
    service = world.publishing
    answer_batch({"Records": [record]}, service.publish, altered=service.note_altered)
    assert world.meter.counted.count("AlteredTrail") == 1


def test_should_go_on_from_the_event_that_could_not_be_taken_among_altered_ones(
    world: World,
) -> None:
    events = world.store.history(decided(world))
    records = [altered("MODIFY", events[0]), *batch(*events)["Records"]]
    answer = answer_batch({"Records": records}, lambda _: 1, altered=lambda _: None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "1001"}]}
