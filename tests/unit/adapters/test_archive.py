"""The archive in S3 (moto) and the queue in SQS: written once, found again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.archive import S3Archive, SqsUnarchived
from hitl_approval.domain.archive import START, ArchivedEvent, Position, digest_of
from hitl_approval.domain.errors import Unavailable
from tests.archived import make_bucket
from tests.unit.adapters.failing import Failing, answered


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        make_bucket(client, "archive")
        yield client


@pytest.fixture
def archive(s3: Any) -> S3Archive:
    return S3Archive(client=s3, bucket="archive", deployment="approvals")


def test_should_find_the_newest_object(archive: S3Archive) -> None:
    assert archive.last() == START
    for number, stored in enumerate([b"one", b"two", b"three"], start=1):
        assert archive.put(number, stored)
    assert archive.last() == Position(3, digest_of(b"three"))


def test_should_write_no_number_twice(archive: S3Archive) -> None:
    assert archive.put(1, b"first")
    assert not archive.put(1, b"second")
    assert archive.last().digest == digest_of(b"first")


def test_should_share_a_bucket_with_others(archive: S3Archive, s3: Any) -> None:
    other = S3Archive(client=s3, bucket="archive", deployment="approvals-2")
    s3.put_object(Bucket="archive", Key="approvals/0-stray", Body=b"?")
    assert other.put(1, b"theirs")
    assert other.last().number == 1
    assert archive.last() == START


def test_should_be_unavailable_whatever_s3_says(s3: Any) -> None:
    gone = S3Archive(client=s3, bucket="no-such-bucket", deployment="approvals")
    for call in (gone.last, lambda: gone.put(1, b"x")):
        with pytest.raises(Unavailable, match="S3 did not take the call now"):
            call()


def test_should_keep_events_in_the_queue() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="unarchived")["QueueUrl"]
        event = ArchivedEvent("a", 1, "h", "t")
        SqsUnarchived(client=sqs, queue_url=url).put([event])
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == [event.to_dict()]


def test_should_be_unavailable_whatever_sqs_says() -> None:
    queue = SqsUnarchived(client=Failing(answered("AccessDenied")), queue_url="https://q")
    with pytest.raises(Unavailable, match="SQS did not take the call now"):
        queue.put([])
