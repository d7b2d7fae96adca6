"""The archive in S3, and the queue of what could not be archived."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, error_code, unavailable
from hitl_approval.domain.archive import (
    START,
    ArchivedEvent,
    Position,
    digest_of,
    number_of,
    object_key,
    prefix_of,
)

_TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
"""What S3 answers where there is an object of that key, or another is just being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Archive:
    """Archive objects in a bucket, each written once; the bucket's own rule says how long."""

    client: Any
    bucket: str
    deployment: str

    def last(self) -> Position:
        """See `ports.Archive.last`."""
        try:
            listed = self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=prefix_of(self.deployment), MaxKeys=1
            )
            for found in listed.get("Contents", []):
                number = number_of(self.deployment, found["Key"])
                if number is not None:
                    answer = self.client.get_object(Bucket=self.bucket, Key=found["Key"])
                    return Position(number, digest_of(answer["Body"].read()))
        except CALL_ERRORS as error:
            raise unavailable("S3", error) from error
        return START

    def put(self, number: int, stored: bytes) -> bool:
        """See `ports.Archive.put`."""
        try:
            self.client.put_object(
                Bucket=self.bucket,
                Key=object_key(self.deployment, number),
                Body=stored,
                ContentType="application/json",
                IfNoneMatch="*",
            )
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) in _TAKEN:
                return False
            raise unavailable("S3", error) from error
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SqsUnarchived:
    """A queue that brings events to the publisher again, until they are archived."""

    client: Any
    queue_url: str

    def put(self, events: Sequence[ArchivedEvent]) -> None:
        """See `ports.Unarchived.put`."""
        try:
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=json.dumps([event.to_dict() for event in events]),
            )
        except CALL_ERRORS as error:
            raise unavailable("SQS", error) from error
