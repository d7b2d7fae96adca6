"""A failing archive loses nothing, doubles nothing and blocks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hitl_approval.contract import Metrics
from hitl_approval.domain.archive import START, ArchivedEvent, Position, digest_of, read_object
from hitl_approval.domain.errors import Unavailable
from hitl_approval.stream import answer_batch, answer_queue
from hitl_approval.testing import World
from hitl_approval.usecases.archive import REMEMBERED, TRIES, ArchiveService
from hitl_approval.usecases.publish import PublishService
from tests.unit.streamed import batch, decided


@dataclass
class Bucket:
    """An archive in memory; `error` is what a call meets."""

    objects: dict[int, bytes] = field(default_factory=dict)
    error: Exception | None = None
    reads: int = 0

    def last(self) -> Position:
        self.reads += 1
        if self.error:
            raise self.error
        if not self.objects:
            return START
        number = max(self.objects)
        return Position(number, digest_of(self.objects[number]))

    def put(self, number: int, stored: bytes) -> bool:
        if self.error:
            raise self.error
        return self.objects.setdefault(number, stored) is stored

    @property
    def events(self) -> list[ArchivedEvent]:
        return [e for stored in self.objects.values() for e in read_object(stored)[0].events]


@dataclass
class Queue:
    kept: list[Sequence[ArchivedEvent]] = field(default_factory=list)
    error: Exception | None = None

    def put(self, events: Sequence[ArchivedEvent]) -> None:
        if self.error:
            raise self.error
        self.kept.append(events)


class Signing:
    def sign(self, event_hash: str) -> str:
        return f"by us: {event_hash[:8]}"

    def verify(self, event_hash: str, signature: str) -> bool:
        return signature == self.sign(event_hash)


@dataclass
class Archived:
    """A deployment in memory that archives."""

    world: World
    bucket: Bucket
    queue: Queue
    service: ArchiveService
    publishing: PublishService

    def publish(self, *events: Any) -> dict[str, Any]:
        return answer_batch(batch(*events), self.publishing.publish)


@pytest.fixture
def archived(world: World) -> Archived:
    bucket, queue = Bucket(), Queue()
    return another(world, bucket, queue)


def another(world: World, bucket: Bucket, queue: Queue) -> Archived:
    """Another process of the publisher."""
    service = ArchiveService(
        archive=bucket,
        unarchived=queue,
        signer=Signing(),
        clock=world.clock,
        meter=world.meter,
        deployment="in-memory",
    )
    return Archived(world, bucket, queue, service, replace(world.publishing, archiving=service))


def test_should_archive_each_batch_as_one_signed_object(archived: Archived) -> None:
    trail = archived.world.store.history(decided(archived.world))

    assert archived.publish(*trail) == {"batchItemFailures": []}
    assert archived.publish(*archived.world.store.history(decided(archived.world)))

    assert sorted(archived.bucket.objects) == [1, 2]
    found, signature = read_object(archived.bucket.objects[1])
    assert [(e.approval_id, e.sequence, e.hash) for e in found.events] == [
        (event["approval_id"], event["sequence"], event["hash"]) for event in trail
    ]
    assert Signing().verify(found.digest, signature)
    second, _ = read_object(archived.bucket.objects[2])
    assert second.previous == digest_of(archived.bucket.objects[1])
    assert archived.bucket.reads == 1  # afterwards the process knows where it is
    assert len(archived.world.publisher.published) == 4


@pytest.mark.parametrize("error", [Unavailable("S3 is down"), RuntimeError("whatever")])
def test_should_publish_once_and_keep_for_later_what_cannot_be_archived(
    archived: Archived, error: Exception
) -> None:
    trail = archived.world.store.history(decided(archived.world))
    archived.bucket.error = error

    assert archived.publish(*trail) == {"batchItemFailures": []}

    assert len(archived.world.publisher.published) == 2
    assert [len(kept) for kept in archived.queue.kept] == [2]
    assert archived.world.meter.counted.count(Metrics.ARCHIVE_FAILED) == 2

    archived.bucket.error = None
    archived.service.accept_again([event.to_dict() for event in archived.queue.kept[0]])
    assert [event.sequence for event in archived.bucket.events] == [1, 2]
    assert len(archived.world.publisher.published) == 2


def test_should_bring_the_queue_s_message_again_while_the_archive_fails(archived: Archived) -> None:
    archived.bucket.error = Unavailable("S3 is down")
    body = '[{"approval_id": "a", "sequence": 1, "hash": "h", "at": "t"}]'
    records = [
        {"eventSource": "aws:sqs", "messageId": str(number), "body": text}
        for number, text in enumerate([body, "[]", "no JSON"])
    ]

    answer = answer_queue({"Records": records}, archived.service.accept_again)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}]}
    assert archived.world.meter.counted.count(Metrics.ARCHIVE_FAILED) == 1  # an alarm stays one


def test_should_publish_nothing_that_can_neither_be_archived_nor_kept(archived: Archived) -> None:
    """Published now, it would be published again with the batch that comes again."""
    trail = archived.world.store.history(decided(archived.world))
    archived.bucket.error = archived.queue.error = Unavailable("down")

    assert archived.publish(*trail) == {"batchItemFailures": [{"itemIdentifier": "1000"}]}
    assert archived.world.publisher.published == []

    archived.bucket.error = archived.queue.error = None
    assert archived.publish(*trail) == {"batchItemFailures": []}
    assert len(archived.world.publisher.published) == len(archived.bucket.events) == 2


def test_should_archive_once_what_is_brought_again_because_the_bus_failed(
    archived: Archived,
) -> None:
    trail = archived.world.store.history(decided(archived.world))
    archived.world.publisher.room = 1
    assert archived.publish(*trail) == {"batchItemFailures": [{"itemIdentifier": "1001"}]}
    archived.world.publisher.room = 9
    assert archived.publish(trail[1]) == {"batchItemFailures": []}
    assert [event.sequence for event in archived.bucket.events] == [1, 2]


def test_should_let_two_processes_write_one_chain(archived: Archived) -> None:
    other = another(archived.world, archived.bucket, archived.queue)
    trail = archived.world.store.history(decided(archived.world))
    for process, event in ((archived, trail[0]), (other, trail[1])):
        process.publish(event)
    third = archived.world.store.history(decided(archived.world))[0]
    archived.publish(third)

    assert sorted(archived.bucket.objects) == [1, 2, 3]
    for number in (2, 3):
        found, _ = read_object(archived.bucket.objects[number])
        assert found.previous == digest_of(archived.bucket.objects[number - 1])


def test_should_keep_for_later_what_others_are_always_faster_with(archived: Archived) -> None:
    class Contended(Bucket):
        def put(self, number: int, stored: bytes) -> bool:
            return False

    archived.service.archive = bucket = Contended()
    archived.publish(*archived.world.store.history(decided(archived.world)))
    assert bucket.reads == TRIES
    assert [len(kept) for kept in archived.queue.kept] == [2]


def test_should_pass_what_is_no_event(archived: Archived) -> None:
    archived.service.accept([{"approval_id": "a"}, {}])
    archived.service.accept_again([{"approval_id": "a"}])
    assert archived.bucket.objects == {}


def test_should_remember_no_more_than_it_needs(archived: Archived) -> None:
    for number in range(0, REMEMBERED + 200, 100):
        archived.service.accept(
            [ArchivedEvent("a", number + n, "h", "t").to_dict() for n in range(100)]
        )
    assert len(archived.service._archived) == REMEMBERED
