"""One suite for both message stores: what `ports.MessageStore` promises, in memory and on moto."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.items import read_item
from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.contract import Messages
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.message import Message
from hitl_approval.ports.messages import DueMessage, MessageStore
from hitl_approval.testing import InMemoryMessages
from tests.anything import NOW, any_approval

LATER = NOW + timedelta(minutes=2)
NEVER = NOW + timedelta(days=400)


def create_messages(client: Any) -> None:
    client.create_table(
        TableName="messages",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": Messages.PARTITION_KEY, "KeyType": "HASH"},
            {"AttributeName": Messages.SORT_KEY, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": Messages.PARTITION_KEY, "AttributeType": "S"},
            {"AttributeName": Messages.SORT_KEY, "AttributeType": "S"},
            {"AttributeName": Messages.SHARD, "AttributeType": "N"},
            {"AttributeName": Messages.DUE, "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": Messages.DUE_INDEX,
                "KeySchema": [
                    {"AttributeName": Messages.SHARD, "KeyType": "HASH"},
                    {"AttributeName": Messages.DUE, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )


@pytest.fixture(params=["memory", "dynamodb"])
def messages(request: pytest.FixtureRequest) -> Iterator[MessageStore]:
    if request.param == "memory":
        yield InMemoryMessages()
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_messages(client)
        yield DynamoDbMessages(client=client, table="messages")


def any_message(approval: Approval, recipient: str = "ann", **fields: Any) -> Message:
    values: dict[str, Any] = {
        "approval_id": approval.approval_id,
        "sequence": 1,
        "kind": "requested",
        "recipient": recipient,
        "due": NOW,
    }
    return Message(**values | fields)


def inserted(messages: MessageStore, **fields: Any) -> Message:
    approval = any_approval()
    message = any_message(approval, **fields)
    assert messages.insert(message, approval)
    return message


def due(messages: MessageStore, before: datetime = NEVER, limit: int = 25) -> list[DueMessage]:
    pages = list(messages.due(before=before, limit=limit))
    assert all(len(page) <= limit for page in pages)
    return [one for page in pages for one in page]


def found(messages: MessageStore, message: Message) -> Message:
    (one,) = [m for m in messages.about(message.approval_id) if m.key == message.key]
    return one


def claimed(messages: MessageStore, until: datetime = LATER) -> Message:
    (one,) = due(messages)
    message = messages.claim(one, until=until)
    assert message is not None
    return message


def test_should_keep_all_of_a_message(messages: MessageStore) -> None:
    message = inserted(
        messages, kind="reminder", number=2, to_requester=True, attempts=1, unanswered=1,
        links=("a" * 64,), reason="why", noted=True, channel="ses", address="ann@example.com",
    )  # fmt: skip
    assert found(messages, message) == message
    assert messages.about("other") == []


def test_should_write_a_message_once(messages: MessageStore) -> None:
    approval = any_approval()
    first = any_message(approval, attempts=1)
    assert messages.insert(first, approval)
    assert not messages.insert(replace(first, attempts=0, due=LATER), approval)
    assert found(messages, first) == first


def test_should_list_what_is_due_and_nothing_else(messages: MessageStore) -> None:
    now, later = inserted(messages), inserted(messages, due=LATER)
    assert [(one.approval_id, one.key, one.due) for one in due(messages, NOW)] == [
        (now.approval_id, now.key, NOW)
    ]
    assert {one.approval_id for one in due(messages, LATER)} == {
        now.approval_id,
        later.approval_id,
    }


def test_should_list_many_in_pages(messages: MessageStore) -> None:
    ids = {inserted(messages).approval_id for _ in range(40)}
    assert {one.approval_id for one in due(messages, limit=3)} == ids


def test_should_let_one_begin_a_try(messages: MessageStore) -> None:
    inserted(messages)
    (one,) = due(messages)
    first = messages.claim(one, until=LATER)
    assert first is not None
    assert (first.attempts, first.unanswered, first.due) == (1, 1, LATER)
    assert messages.claim(one, until=LATER) is None
    assert due(messages, NOW) == []


def test_should_begin_no_try_of_what_is_not_there(messages: MessageStore) -> None:
    assert messages.claim(DueMessage("nobody", "key", NOW), until=LATER) is None
    assert messages.about("nobody") == []


def test_should_be_due_no_more_once_it_is_sent(messages: MessageStore) -> None:
    inserted(messages)
    message = claimed(messages)
    messages.mark_sent(message, NOW, "0100-receipt")
    assert due(messages) == []
    sent = found(messages, message)
    assert (sent.state, sent.sent_at, sent.due) == ("sent", NOW, None)
    assert sent.receipt == "0100-receipt"


def test_should_be_sent_by_a_try_whose_lease_is_over(messages: MessageStore) -> None:
    inserted(messages)
    slow = claimed(messages)
    quick = claimed(messages, until=LATER + timedelta(minutes=2))
    messages.mark_sent(slow, NOW)
    messages.mark_unsent(replace(quick, due=NEVER, reason="refused"))
    assert found(messages, slow).state == "sent"
    assert due(messages) == []


def test_should_not_be_put_off_by_a_try_whose_lease_is_over(messages: MessageStore) -> None:
    inserted(messages)
    slow = claimed(messages)
    quick = claimed(messages, until=LATER + timedelta(minutes=2))
    messages.mark_unsent(replace(slow, state="failed", due=None, reason="refused"))
    assert found(messages, slow) == quick


def test_should_be_tried_again_when_it_is_put_off(messages: MessageStore) -> None:
    inserted(messages)
    message = claimed(messages)
    messages.mark_unsent(replace(message, due=NEVER, reason="refused", unanswered=0, noted=True))
    assert due(messages, LATER) == []
    (one,) = due(messages, NEVER)
    again = messages.claim(one, until=NEVER)
    assert again is not None
    assert (again.attempts, again.unanswered, again.reason, again.noted) == (2, 1, "refused", True)


@pytest.mark.parametrize("state", ["failed", "void", "parked"])
def test_should_be_due_no_more_once_it_has_ended(messages: MessageStore, state: Any) -> None:
    inserted(messages)
    message = claimed(messages)
    messages.mark_unsent(replace(message, state=state, due=None, reason="why"))
    assert due(messages) == []
    assert found(messages, message).state == state


@pytest.mark.parametrize("state", ["failed", "parked"])
def test_should_be_tried_anew_once_it_is_reopened(messages: MessageStore, state: Any) -> None:
    inserted(messages, links=("a" * 64,))
    message = claimed(messages)
    ended = replace(message, state=state, due=None, reason="why", noted=True)
    messages.mark_unsent(ended)
    messages.reopen(ended, LATER)
    assert due(messages, NOW) == []
    again = found(messages, message)
    assert (again.state, again.due, again.attempts, again.unanswered) == ("open", LATER, 0, 0)
    assert (again.noted, again.links) == (False, ("a" * 64,))


@pytest.mark.parametrize(("arrived", "state"), [(True, "sent"), (False, "failed")])
def test_should_come_back_once_it_was_sent(
    messages: MessageStore, arrived: bool, state: str
) -> None:
    inserted(messages)
    message = claimed(messages)
    messages.mark_returned(message, "why", arrived=arrived)
    assert found(messages, message) == message
    messages.mark_sent(message, NOW, "receipt")
    messages.mark_returned(replace(message, receipt="other"), "why", arrived=arrived)
    assert found(messages, message).state == "sent"
    messages.mark_returned(replace(message, receipt="receipt"), "why", arrived=arrived)
    returned = found(messages, message)
    assert (returned.state, returned.reason, returned.noted) == (state, "why", True)
    assert due(messages) == []


def test_should_not_be_reopened_once_it_is_sent(messages: MessageStore) -> None:
    inserted(messages)
    message = claimed(messages)
    messages.mark_sent(message, NOW)
    messages.reopen(replace(message, state="failed"), NOW)
    assert found(messages, message).state == "sent"


def test_should_keep_each_link_that_was_sent(messages: MessageStore) -> None:
    inserted(messages, links=("a" * 64,))
    message = claimed(messages)
    messages.add_link(message, "b" * 64)
    messages.mark_unsent(replace(message, due=NOW))
    assert found(messages, message).links == ("a" * 64, "b" * 64)


def test_should_outlive_its_request_as_long_as_the_row() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_messages(client)
        approval = any_approval()
        kept = DynamoDbMessages(client=client, table="messages", retention=timedelta(days=9))
        kept.insert(any_message(approval), approval)
        (item,) = client.scan(TableName="messages")["Items"]
        assert read_item(item)[Messages.TTL] == int(
            (approval.expires_at + timedelta(days=9)).timestamp()
        )
