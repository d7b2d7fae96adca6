"""States: small ones in the step, large ones in the bucket, and none that was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from hitl_approval.agents.states import S3States, packed, state_of
from hitl_approval.domain.errors import InvalidRequest

TURN = {"calls": [], "state": {"said": "Щ\ud800"}}


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3States]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="states")
        yield S3States("states")


def keys(store: S3States) -> list[str]:
    return [item["Key"] for item in store.client.list_objects_v2(Bucket="states")["Contents"]]


def test_should_read_back_what_a_step_returned() -> None:
    assert state_of(json.loads(packed(TURN, None)), None) == TURN["state"]


def test_should_say_how_large_a_state_is() -> None:
    with pytest.raises(InvalidRequest, match=r"must be at most 262144 bytes .* got 30"):
        packed({"state": "Щ" * 50_000}, None)


def test_should_put_a_state_into_the_bucket_and_read_it_back(store: S3States) -> None:
    written = packed(TURN, store)
    assert "Щ" not in written
    assert state_of(json.loads(written), store) == TURN["state"]


def test_should_put_the_same_state_once(store: S3States) -> None:
    """A step that is run again after a crash leaves no second copy."""
    assert packed(TURN, store) == packed(TURN, store)
    [key] = keys(store)
    assert key.startswith("agent-states/")


def test_should_refuse_a_state_that_was_changed_in_the_bucket(store: S3States) -> None:
    written = json.loads(packed(TURN, store))
    [key] = keys(store)
    store.client.put_object(Bucket="states", Key=key, Body=b"{}")
    with pytest.raises(InvalidRequest, match="state: is not the one that was stored"):
        state_of(written, store)


def test_should_refuse_to_go_on_without_the_store(store: S3States) -> None:
    written = json.loads(packed(TURN, store))
    with pytest.raises(InvalidRequest, match="store: must be the one"):
        state_of(written, None)


def test_should_store_nothing_at_the_end(store: S3States) -> None:
    assert json.loads(packed({"output": "done"}, store)) == {"output": "done"}
