"""Where an agent's state is kept between turns: in the execution itself, or in a bucket."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from hitl_approval.domain.call import MAX_STEP_RESULT_BYTES
from hitl_approval.domain.errors import InvalidRequest


class States(Protocol):
    """Keeps texts by their digest."""

    def put(self, digest: str, text: str) -> None:
        """Keep a text; again is the same as once."""

    def get(self, digest: str) -> str:
        """The text that was kept."""


class S3States:
    """Keeps states in a bucket, each under the SHA-256 of its content.

    The function needs `s3:PutObject` and `s3:GetObject` on the prefix; a lifecycle rule that
    deletes what is older than the longest run keeps the bucket small.

    Args:
        bucket: its name.
        prefix: of the keys.
        client: boto3's for S3. Default: one of the function's own rights, made on first use.
    """

    def __init__(self, bucket: str, prefix: str = "agent-states/", *, client: Any = None) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self._client = client

    @property
    def client(self) -> Any:
        """Boto3's client for S3."""
        if self._client is None:
            import boto3

            self._client = boto3.client("s3")
        return self._client

    def put(self, digest: str, text: str) -> None:
        """See `States.put`."""
        self.client.put_object(Bucket=self.bucket, Key=self.prefix + digest, Body=_bytes(text))

    def get(self, digest: str) -> str:
        """See `States.get`."""
        found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + digest)
        body: bytes = found["Body"].read()
        return body.decode("utf-8", "surrogatepass")


def packed(turn: dict[str, Any], store: States | None) -> str:
    """A turn as the text that its step returns; called within the step.

    Args:
        turn: JSON values, of which `state` may be large.
        store: takes the state.

    Raises:
        InvalidRequest: it is larger than a step's result may be.
    """
    if store is not None and turn.get("state") is not None:
        text = json.dumps(turn["state"], ensure_ascii=False)
        digest = hashlib.sha256(_bytes(text)).hexdigest()
        store.put(digest, text)
        turn = {**turn, "state": None, "stored": digest}
    written = json.dumps(turn, ensure_ascii=False)
    size = len(json.dumps(written))  # as the durable SDK encodes it
    if size > MAX_STEP_RESULT_BYTES:
        rule = (
            f"must be at most {MAX_STEP_RESULT_BYTES} bytes as a durable step encodes it, got "
            f"{size}: give run a store, S3States(bucket) say, or shorten what tools return"
        )
        raise InvalidRequest("state", rule)
    return written


def state_of(turn: dict[str, Any], store: States | None) -> Any:
    """The state of a turn that `packed` has written; called within the next step.

    Raises:
        InvalidRequest: it was put into a store, and there is none now, or what the store has is not
            what was put there.
    """
    digest = turn.get("stored")
    if digest is None:
        return turn["state"]
    if store is None:
        raise InvalidRequest("store", "must be the one that this run began with")
    text = store.get(digest)
    if hashlib.sha256(_bytes(text)).hexdigest() != digest:
        raise InvalidRequest("state", f"is not the one that was stored as {digest}")
    return json.loads(text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
