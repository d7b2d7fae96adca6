"""What the scenarios of messages are made of: the inbox table's double, the stream's choices."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.contract import Inbox
from tests.anything import NOW, any_opening, any_request
from tests.faults.dynamodb import INBOX, DynamoDb
from tests.faults.explore import every
from tests.faults.feeds import BATCHES, Direct
from tests.faults.invariants import violations
from tests.faults.messaging import FED, MESSENGER
from tests.faults.scenario import Scenario
from tests.faults.seams import simulated
from tests.faults.simulator import Bounds

NAMES = ("ann", "bob", "cid")


@pytest.fixture
def world() -> Iterator[None]:
    with simulated():
        yield


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("scenario", FED, ids=lambda scenario: scenario.name)
def test_should_bring_batches_split_late_and_again(scenario: Scenario) -> None:
    seen: Counter[str] = Counter()
    only = Bounds(faults=1, preemptions=1, kinds=frozenset(BATCHES))
    for deployment in every(scenario.run, only):
        seen.update(deployment.world.faults)
        assert not violations(deployment), deployment.world.steps

    assert set(seen) == set(BATCHES)


@pytest.mark.usefixtures("world")
def test_should_let_an_index_lag_behind_what_a_try_has_changed() -> None:
    (due,) = [scenario for scenario in MESSENGER if scenario.name == "message-due"]
    only = Bounds(faults=1, preemptions=1, kinds=frozenset({"lags"}))
    refused = 0
    for deployment in every(due.run, only):
        steps = "\n".join(deployment.world.steps)
        refused += "Query: lags" in steps and steps.count("UpdateItem") > 3

    assert refused, "no claim met what an index showed too late"


def test_should_keep_an_inbox_as_moto_does() -> None:
    lots = random.Random(20260104)
    approvals = [
        any_opening(
            approval_id=f"approval-{number}",
            request=any_request(approvers=NAMES),
            now=NOW + timedelta(minutes=number),
        ).after
        for number in range(4)
    ]
    with mock_aws():
        moto = boto3.client("dynamodb", region_name="us-east-1")
        moto.create_table(
            TableName="inbox",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": Inbox.PARTITION_KEY, "KeyType": "HASH"},
                {"AttributeName": Inbox.SORT_KEY, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in (Inbox.PARTITION_KEY, Inbox.SORT_KEY)
            ],
        )
        clients: tuple[Any, Any] = (moto, Direct(DynamoDb({"inbox": INBOX})))
        ours, theirs = (DynamoDbInbox(client=client, table="inbox") for client in clients)
        shown = 0
        for _ in range(60):
            approval = lots.choice(approvals)
            names = lots.sample(NAMES, lots.randrange(1, 3))
            for inbox in (ours, theirs):
                (inbox.add if names[0] == "ann" else inbox.remove)(approval, names)
            for name in NAMES:
                pages = [inbox.awaiting(name, limit=9, cursor=None) for inbox in (ours, theirs)]
                assert pages[0] == pages[1]
                shown += len(pages[0].items)

    assert shown
