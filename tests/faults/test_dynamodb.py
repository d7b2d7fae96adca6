"""The DynamoDB double answers as moto does, on thousands of random operations of ours."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.contract import Audit, Messages
from hitl_approval.domain.approval import STATUSES, Approval, Decision, Transition
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import ApprovalError, VersionConflict
from hitl_approval.domain.message import Message
from hitl_approval.domain.voting import cast_vote
from hitl_approval.ports.records import Attention
from hitl_approval.usecases.records import draw_salt
from hitl_approval_cli.erasing import Erasing
from tests.anything import NOW, any_opening, any_request, declared
from tests.faults.dynamodb import APPROVALS, AUDIT, MESSAGES, DynamoDb

TABLES = {"approvals": APPROVALS, "audit": AUDIT, "messages": MESSAGES}
ROUNDS = 15
"""Each on empty tables: moto copies a whole table for every transaction."""
OPERATIONS = 200
"""Store operations of a round, each one to three API calls."""
OFTEN = {
    "TransactWriteItems ok",
    "TransactWriteItems TransactionCanceledException",
    "UpdateItem ok",
    "UpdateItem ConditionalCheckFailedException",
    "GetItem ok",
    "Query ok",
}
"""What must have been answered again and again."""
ATTENTIONS: tuple[Attention, ...] = ("pending", "decided")
DECISIONS: tuple[Decision, ...] = ("approved", "rejected")
MESSAGE_OPERATIONS = 300
"""The same of the message store, each one to ten API calls."""
ERASURE_OPERATIONS = 30
APPROVAL_COUNT = 4
"""Few, so that they meet each other."""


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        _create_tables(client)
        yield client


def _empty_tables(client: Any) -> None:
    for name in TABLES:
        client.delete_table(TableName=name)
    _create_tables(client)


def _create_tables(client: Any) -> None:
    for name, schema in TABLES.items():
        keyed = {*schema.primary.names, *(n for i in schema.indexes.values() for n in i.names)}
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_keys(schema.primary.names),
            AttributeDefinitions=[
                {
                    "AttributeName": n,
                    "AttributeType": "N" if n in {Audit.SORT_KEY, Messages.SHARD} else "S",
                }
                for n in sorted(keyed)
            ],
            **(
                {
                    "GlobalSecondaryIndexes": [
                        {
                            "IndexName": index_name,
                            "KeySchema": _keys(index.names),
                            "Projection": {
                                "ProjectionType": "INCLUDE",
                                "NonKeyAttributes": sorted(index.shown),
                            }
                            if index.shown
                            else {"ProjectionType": "KEYS_ONLY"},
                        }
                        for index_name, index in schema.indexes.items()
                    ]
                }
                if schema.indexes
                else {}
            ),
        )


def _keys(names: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind}
        for name, kind in zip(names, ("HASH", "RANGE"), strict=False)
    ]


class Twin:
    """Sends every call to moto and to the double, and compares what they answer."""

    def __init__(self) -> None:
        self.empty()
        self.send = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's seam
        self.answered: Counter[str] = Counter()

    def empty(self) -> None:
        self.double = DynamoDb(TABLES)

    def call(self, client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        token = f"token-{self.answered.total()}"
        ours = _answer(lambda: self.double.call(operation, request, token))
        answers: list[Any] = []

        def ask() -> Any:
            answers.append(self.send(client, operation, request))
            return answers[0]

        theirs = _answer(ask)
        if ours[0] == theirs[0] == "ok" and len(ours[1].get("Items", ())) == request.get("Limit"):
            # Whether a full page that is the last one names its end is up to the service.
            ends = [answer[1].pop("LastEvaluatedKey", None) for answer in (ours, theirs)]
            assert None in ends or ends[0] == ends[1], (operation, request)
        if operation == "Scan":  # in whatever order
            for _, answer in (ours, theirs):
                answer["Items"] = sorted(answer.get("Items", ()), key=repr)
        assert ours == theirs, (operation, request)
        self.answered[f"{operation} {theirs[0]}"] += 1
        if answers:
            return answers[0]
        raise theirs[-1]


def _answer(call: Callable[[], Any]) -> Any:
    """An answer, reduced to what the service promises."""
    try:
        answer = call()
    except ClientError as error:
        response: Any = error.response
        reasons = [reason["Code"] for reason in response.get("CancellationReasons", [])]
        return Refused((response["Error"]["Code"], reasons, response.get("Item"), error))
    keys = ("Item", "Items", "Attributes", "LastEvaluatedKey")
    return ("ok", {key: answer[key] for key in keys if answer.get(key)})


class Refused(tuple[Any, ...]):
    """A refusal; equal to another without regard to the exception itself."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refused) and self[:-1] == other[:-1]

    def __hash__(self) -> int:
        return hash(self[0])


def test_should_answer_as_moto_does_to_thousands_of_our_calls(moto: Any) -> None:
    lots = random.Random(20260102)
    twin = Twin()
    store = DynamoDbStore(client=moto, approvals_table="approvals", audit_table="audit")
    known: list[Approval] = []
    generation = 0

    def operate() -> None:
        name = f"approval-{generation}-{lots.randrange(APPROVAL_COUNT)}"
        now = NOW + timedelta(milliseconds=lots.randrange(90 * 60 * 1000))
        record = lots.choice(known) if known else None
        match lots.randrange(9):
            case 0:
                opening = any_opening(
                    request=any_request(approvers=["bob"]),
                    approval_id=name,
                    creation_token=str(lots.random()),
                    now=now,
                )
                known.append(store.create(opening))
            case 1:
                store.register_callback(name, f"callback-{lots.randrange(9)}")
            case 2:
                _attend(store, lots, name, now)
            case 3:
                if (found := store.get(name)) is not None:
                    known.append(found)  # and what was read earlier is written on as well
            case 4:
                status = lots.choice(STATUSES)
                page = store.list_by_status(status, limit=lots.randrange(1, 4), cursor=None)
                if page.cursor:
                    store.list_by_status(status, limit=2, cursor=page.cursor)
            case 5:
                store.history(name)
            case 6:
                attention: Attention = lots.choice(ATTENTIONS)
                list(store.overdue(attention, before=now, limit=lots.randrange(1, 4)))
                list(store.postponed())
            case _ if record is not None:
                if transition := _any_transition(lots, record, now):
                    store.commit(transition)
            case _:
                pass

    def send(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        return twin.call(client, operation, request)

    for _ in range(ROUNDS):
        _empty_tables(moto)
        twin.empty()
        known.clear()
        generation += 1
        with patch.object(BaseClient, "_make_api_call", send):
            for _ in range(OPERATIONS):
                with suppress(VersionConflict):
                    operate()
                if lots.random() < 0.02:
                    known.clear()
                    generation += 1

    assert twin.answered.total() >= ROUNDS * OPERATIONS * 0.9
    assert {call for call, count in twin.answered.items() if count > 50} >= OFTEN


def test_should_answer_as_moto_does_to_the_calls_of_messages(moto: Any) -> None:
    lots = random.Random(20260103)
    twin = Twin()
    store = DynamoDbMessages(client=moto, table="messages")

    def send(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        return twin.call(client, operation, request)

    with patch.object(BaseClient, "_make_api_call", send):
        for _ in range(MESSAGE_OPERATIONS):
            _any_message(lots, store, f"approval-{lots.randrange(APPROVAL_COUNT)}")

    for call in (
        "PutItem ok",
        "PutItem ConditionalCheckFailedException",
        "UpdateItem ok",
        "UpdateItem ConditionalCheckFailedException",
        "Query ok",
    ):
        assert twin.answered[call] > 5, call


def test_should_answer_as_moto_does_to_the_calls_of_erasures(moto: Any) -> None:
    lots = random.Random(20260104)
    twin = Twin()
    store = DynamoDbStore(client=moto, approvals_table="approvals", audit_table="audit")

    def send(client: BaseClient, operation: str, request: dict[str, Any]) -> Any:
        return twin.call(client, operation, request)

    with patch.object(BaseClient, "_make_api_call", send):
        for number in range(ERASURE_OPERATIONS):
            _any_erasure(lots, store, f"approval-{number}")

    for call in (
        "Scan ok",
        "DeleteItem ok",
        "DeleteItem ConditionalCheckFailedException",
        "UpdateItem ok",
        "UpdateItem ConditionalCheckFailedException",
    ):
        assert twin.answered[call] > 5, call


def test_should_refuse_an_expression_that_it_does_not_know() -> None:
    double = DynamoDb(TABLES)
    request = {
        "TableName": "approvals",
        "Item": {"approval_id": {"S": "1"}},
        "ConditionExpression": "size(votes) > :none",
    }
    with pytest.raises(NotImplementedError):
        double.call("PutItem", request, "token")


def test_should_take_a_repeated_transaction_for_the_one_it_is() -> None:
    double = DynamoDb(TABLES)
    put = {
        "Put": {
            "TableName": "approvals",
            "Item": {"approval_id": {"S": "1"}},
            "ConditionExpression": "attribute_not_exists(approval_id)",
        }
    }
    double.call("TransactWriteItems", {"TransactItems": [put]}, "token-1")

    assert double.call("TransactWriteItems", {"TransactItems": [put]}, "token-1") == {}
    with pytest.raises(ClientError):
        double.call("TransactWriteItems", {"TransactItems": [put]}, "token-2")


def _any_erasure(lots: random.Random, store: DynamoDbStore, approval_id: str) -> None:
    """A decision, and two who erase its voter of what they have read, one after the other."""
    created = store.create(any_opening(approval_id=approval_id).salted(draw_salt))
    vote = cast_vote(created, declared("bob"), lots.choice(DECISIONS), "why", now=NOW)
    assert vote is not None
    store.commit(vote.salted(draw_salt))
    if lots.randrange(3):
        store.mark_resumed(approval_id)
    erasing = Erasing(
        client=store.client,
        approvals_table=store.approvals_table,
        audit_table=store.audit_table,
        inbox_table=None,
        messages_table="messages",
        signer=None,
        person=lots.choice(("bob", "rita")),
        now=NOW + timedelta(days=2),
    )
    for found in erasing.find().approvals:
        for again in (found, found, replace(found, row=False)):
            erasing.erase(again)


def _any_message(lots: random.Random, store: DynamoDbMessages, approval_id: str) -> None:
    now = NOW + timedelta(milliseconds=lots.randrange(90 * 60 * 1000))
    approval = any_opening(approval_id=approval_id).after
    message = Message(
        approval_id=approval_id,
        sequence=1,
        kind="requested",
        recipient=lots.choice(("ann", "bob")),
        due=now,
    )
    match lots.randrange(4):
        case 0:
            store.insert(message, approval)
        case 1:
            for page in store.due(before=now, limit=lots.randrange(1, 4)):
                for due in page:
                    if (claimed := store.claim(due, until=now + timedelta(minutes=2))) is not None:
                        store.add_link(claimed, f"{lots.randrange(10**9):064}")
                        store.mark_unsent(replace(claimed, due=lots.choice((None, now))))
        case 2:
            for found in store.about(approval_id):
                if found.key == message.key:
                    store.mark_unsent(replace(found, attempts=lots.randrange(3)))
        case 3:
            for each in store.about(approval_id):
                store.mark_sent(each, now)


def _attend(store: DynamoDbStore, lots: random.Random, name: str, now: datetime) -> None:
    if lots.randrange(2):
        store.mark_resumed(name)
    else:
        reason = lots.choice((None, "late"))
        for listed in ATTENTIONS:
            store.postpone(name, found_on=listed, tries=1, until=now, reason=reason)
        store.take_up(name, at=now)


def _any_transition(lots: random.Random, record: Approval, now: datetime) -> Transition | None:
    match lots.randrange(4):
        case 0:
            made = expire(record, now=now)
        case 1:
            with suppress(ApprovalError):
                return cancel(record, declared("alice"), "no more", now=now)
            return None
        case _:
            decision: Decision = lots.choice(DECISIONS)
            with suppress(ApprovalError):
                return cast_vote(record, declared("bob"), decision, "why", now=now)
            return None
    return made
