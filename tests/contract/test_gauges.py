"""What a `ports.Gauges` promises, in memory and on DynamoDB (moto)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.gauges import DynamoDbGauges
from hitl_approval.ports.records import Gauges, Store
from hitl_approval.testing import InMemoryStore
from hitl_approval.testing.gauges import InMemoryGauges
from tests.anything import NOW, any_opening
from tests.contract.test_store import create_tables, vote

Both = tuple[Store, Gauges]


@pytest.fixture(params=["memory", "dynamodb"])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "memory":
        memory = InMemoryStore()
        yield memory, InMemoryGauges(memory)
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield (
            DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit"),
            DynamoDbGauges(client=client, approvals_table="approvals"),
        )


def test_should_find_nothing_where_nothing_is_pending(both: Both) -> None:
    _, gauges = both
    assert gauges.pending_since(0) is None
    assert gauges.pending_since(1) is None
    assert gauges.attention_since("pending") is None
    assert gauges.attention_since("decided") is None


def test_should_count_pending_requests_from_the_oldest(both: Both) -> None:
    store, gauges = both
    for minutes in (2, 0, 1):
        store.create(any_opening(now=NOW + timedelta(minutes=minutes)))
    decided = store.create(any_opening(now=NOW - timedelta(minutes=1)))
    store.commit(vote(decided))
    assert [gauges.pending_since(rank) for rank in range(4)] == [
        NOW,
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=2),
        None,
    ]


def test_should_say_since_when_the_first_of_each_list_waits(both: Both) -> None:
    store, gauges = both
    later = store.create(any_opening(now=NOW + timedelta(minutes=5)))
    first = store.create(any_opening(now=NOW))
    assert gauges.attention_since("pending") == first.expires_at
    decided = vote(first)
    store.commit(decided)
    assert gauges.attention_since("pending") == later.expires_at
    assert gauges.attention_since("decided") == decided.after.decided_at
    store.postpone(later.approval_id, found_on="pending", tries=1, until=NOW, reason="throttled")
    assert gauges.attention_since("pending") is None
    store.mark_resumed(first.approval_id)
    assert gauges.attention_since("decided") is None
