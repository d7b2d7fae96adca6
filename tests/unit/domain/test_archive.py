"""Archive objects: chained, spelled in one way, and found newest first."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hitl_approval.domain.archive import (
    START,
    ArchivedEvent,
    Position,
    UnreadableArchiveError,
    digest_of,
    following,
    number_of,
    object_key,
    read_object,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT = ArchivedEvent("a-1", 1, "f" * 64, "2026-01-02T03:04:05.000Z")


def stored(last: Position = START) -> bytes:
    return following(last, [EVENT], deployment="approvals", at=AT).signed("c2ln")


def test_should_read_back_what_was_stored() -> None:
    found, signature = read_object(stored())
    assert (found.deployment, found.number, found.previous) == ("approvals", 1, START.digest)
    assert (found.events, signature, found.at) == ((EVENT,), "c2ln", "2026-01-02T03:04:05.000Z")


def test_should_hold_the_digest_of_the_object_before() -> None:
    first = stored()
    second, _ = read_object(stored(Position(1, digest_of(first))))
    assert (second.number, second.previous) == (2, digest_of(first))


def test_should_sign_everything_that_an_object_says() -> None:
    made = following(START, [EVENT], deployment="approvals", at=AT)
    others = [
        following(START, [], deployment="approvals", at=AT),
        following(START, [EVENT], deployment="other", at=AT),
        following(Position(1, START.digest), [EVENT], deployment="approvals", at=AT),
        following(Position(0, "1" * 64), [EVENT], deployment="approvals", at=AT),
        following(START, [EVENT], deployment="approvals", at=AT.replace(year=2027)),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == 6


def test_should_list_the_newest_first() -> None:
    keys = [object_key("approvals", number) for number in (1, 2, 10, 11_000)]
    assert sorted(keys) == keys[::-1]
    assert [number_of("approvals", key) for key in keys] == [1, 2, 10, 11_000]


@pytest.mark.parametrize(
    "key", ["approvals/x.json", "other/999999999998.json", "999999999998.json"]
)
def test_should_know_no_number_of_what_is_not_ours(key: str) -> None:
    assert number_of("approvals", key) is None


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        stored() + b"\n",
        stored().replace(b'"number":1', b'"number":true'),
        stored().replace(b'"c2ln"', b"7"),
        stored().replace(b'"sequence":1', b'"sequence":"1"'),
        stored().replace(b'"a-1"', b"null"),
        stored().replace(b',"sequence":1', b""),
        b"[" * 100_000,
        json.dumps(json.loads(stored())).encode(),
    ],
)
def test_should_refuse_what_is_no_archive_object(garbage: bytes) -> None:
    with pytest.raises(UnreadableArchiveError):
        read_object(garbage)
