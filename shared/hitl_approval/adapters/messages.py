"""The message store on DynamoDB: an item for each message, indexed for as long as it is open."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code
from hitl_approval.adapters.items import errors, marshal, read_item
from hitl_approval.contract import Messages
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.message import Message
from hitl_approval.ports.messages import DueMessage

_KEY = (Messages.PARTITION_KEY, Messages.SORT_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDbMessages:
    """What each person is sent, in a table of its own.

    Every write is one conditional write of one item. `attempts` tells a try from the ones before
    it: what one try notes never undoes what a later one has begun.

    Attributes:
        client: a DynamoDB client.
        table: name of the messages table.
        retention: how long an item stays after its request's expiry, as its row does: a link
            opens for that long, and an event brought again finds what was sent. Only `insert`
            uses it.
    """

    client: Any
    table: str
    retention: timedelta = timedelta(days=30)

    def insert(self, message: Message, approval: Approval) -> bool:
        """See `ports.MessageStore.insert`."""
        try:
            with errors():
                self.client.put_item(
                    TableName=self.table,
                    Item=marshal(
                        {
                            **_item(message),
                            Messages.SHARD: _shard(message.approval_id),
                            Messages.TTL: int((approval.expires_at + self.retention).timestamp()),
                        }
                    ),
                    ConditionExpression=f"attribute_not_exists({Messages.PARTITION_KEY})",
                )
        except ClientError as error:
            return _unless_refused(error)
        return True

    def claim(self, message: DueMessage, *, until: datetime) -> Message | None:
        """See `ports.MessageStore.claim`."""
        try:
            with errors():
                answer = self.client.update_item(
                    TableName=self.table,
                    Key=marshal(dict(zip(_KEY, (message.approval_id, message.key), strict=True))),
                    UpdateExpression="SET #due = :until, attempts = attempts + :one, "
                    "unanswered = unanswered + :one",
                    ConditionExpression="#due = :due",
                    ExpressionAttributeNames={"#due": Messages.DUE},
                    ExpressionAttributeValues=marshal(
                        {":until": isoformat(until), ":due": isoformat(message.due), ":one": 1}
                    ),
                    ReturnValues="ALL_NEW",
                )
        except ClientError as error:
            _unless_refused(error)
            return None
        return _message(read_item(answer["Attributes"]))

    def add_link(self, message: Message, digest: str) -> None:
        """See `ports.MessageStore.add_link`."""
        with errors():
            self.client.update_item(
                TableName=self.table,
                Key=_key(message),
                UpdateExpression="SET links = list_append(if_not_exists(links, :none), :link)",
                ConditionExpression=f"attribute_exists({Messages.PARTITION_KEY})",
                ExpressionAttributeValues=marshal({":none": [], ":link": [digest]}),
            )

    def mark_sent(self, message: Message, at: datetime, receipt: str = "") -> None:
        """See `ports.MessageStore.mark_sent`."""
        with errors():
            self.client.update_item(
                TableName=self.table,
                Key=_key(message),
                UpdateExpression="SET #state = :sent, sent_at = :at, receipt = :receipt "
                "REMOVE #due",
                ConditionExpression=f"attribute_exists({Messages.PARTITION_KEY})",
                ExpressionAttributeNames={"#state": "state", "#due": Messages.DUE},
                ExpressionAttributeValues=marshal(
                    {":sent": "sent", ":at": isoformat(at), ":receipt": receipt}
                ),
            )

    def mark_returned(self, message: Message, reason: str, *, arrived: bool) -> None:
        """See `ports.MessageStore.mark_returned`."""
        try:
            with errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=_key(message),
                    UpdateExpression="SET #state = :state, reason = :reason, noted = :true",
                    ConditionExpression="#state = :sent AND receipt = :receipt",
                    ExpressionAttributeNames={"#state": "state"},
                    ExpressionAttributeValues=marshal(
                        {
                            ":state": "sent" if arrived else "failed",
                            ":sent": "sent",
                            ":reason": reason,
                            ":true": True,
                            ":receipt": message.receipt,
                        }
                    ),
                )
        except ClientError as error:
            _unless_refused(error)

    def mark_unsent(self, message: Message) -> None:
        """See `ports.MessageStore.mark_unsent`."""
        written: dict[str, Any] = {
            "state": message.state,
            "number": message.number,
            "reason": message.reason,
            "noted": message.noted,
            "unanswered": message.unanswered,
        }
        removes = f" REMOVE #{Messages.DUE}" if message.due is None else ""
        if message.due is not None:
            written[Messages.DUE] = isoformat(message.due)
        names = {f"#{name}": name for name in (*written, "attempts", Messages.DUE)}
        try:
            with errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=_key(message),
                    UpdateExpression="SET "
                    + ", ".join(f"#{name} = :{name}" for name in written)
                    + removes,
                    ConditionExpression="#attempts = :mine AND attribute_exists(#due)",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=marshal(
                        {f":{name}": value for name, value in written.items()}
                        | {":mine": message.attempts}
                    ),
                )
        except ClientError as error:
            _unless_refused(error)

    def reopen(self, message: Message, at: datetime) -> None:
        """See `ports.MessageStore.reopen`."""
        try:
            with errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=_key(message),
                    UpdateExpression="SET #state = :open, #due = :at, attempts = :none, "
                    "unanswered = :none, noted = :false",
                    ConditionExpression="#state = :was",
                    ExpressionAttributeNames={"#state": "state", "#due": Messages.DUE},
                    ExpressionAttributeValues=marshal(
                        {
                            ":open": "open",
                            ":was": message.state,
                            ":at": isoformat(at),
                            ":none": 0,
                            ":false": False,
                        }
                    ),
                )
        except ClientError as error:
            _unless_refused(error)

    def due(self, *, before: datetime, limit: int) -> Iterator[Sequence[DueMessage]]:
        """See `ports.MessageStore.due`."""
        for shard in range(Messages.SHARDS):
            start: dict[str, Any] = {}
            while True:
                with errors():
                    answer = self.client.query(
                        TableName=self.table,
                        IndexName=Messages.DUE_INDEX,
                        KeyConditionExpression="#shard = :shard AND #due <= :before",
                        ExpressionAttributeNames={"#shard": Messages.SHARD, "#due": Messages.DUE},
                        ExpressionAttributeValues=marshal(
                            {":shard": shard, ":before": isoformat(before)}
                        ),
                        Limit=limit,
                        **start,
                    )
                yield [_due(read_item(item)) for item in answer["Items"]]
                if "LastEvaluatedKey" not in answer:
                    break
                start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def about(self, approval_id: str) -> Sequence[Message]:
        """See `ports.MessageStore.about`."""
        found: list[Message] = []
        start: dict[str, Any] = {}
        while True:
            with errors():
                answer = self.client.query(
                    TableName=self.table,
                    KeyConditionExpression=f"{Messages.PARTITION_KEY} = :id",
                    ExpressionAttributeValues=marshal({":id": approval_id}),
                    ConsistentRead=True,
                    **start,
                )
            found += [_message(read_item(item)) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _unless_refused(error: ClientError) -> bool:
    """False when the condition was not met; every other error is raised."""
    if error_code(error) != "ConditionalCheckFailedException":
        raise error
    return False


def _key(message: Message) -> dict[str, Any]:
    return marshal(dict(zip(_KEY, (message.approval_id, message.key), strict=True)))


def _shard(approval_id: str) -> int:
    return hashlib.sha256(approval_id.encode()).digest()[0] % Messages.SHARDS


def _item(message: Message) -> dict[str, Any]:
    times = {Messages.DUE: message.due, "sent_at": message.sent_at}
    return {
        Messages.PARTITION_KEY: message.approval_id,
        Messages.SORT_KEY: message.key,
        "sequence": message.sequence,
        "kind": message.kind,
        "recipient": message.recipient,
        "number": message.number,
        "to_requester": message.to_requester,
        "to_audience": message.to_audience,
        "channel": message.channel,
        "address": message.address,
        "state": message.state,
        "attempts": message.attempts,
        "unanswered": message.unanswered,
        "reason": message.reason,
        "noted": message.noted,
        "links": list(message.links),
        "receipt": message.receipt,
        **{name: isoformat(moment) for name, moment in times.items() if moment},
    }


def _message(item: Mapping[str, Any]) -> Message:
    due, sent_at = item.get(Messages.DUE), item.get("sent_at")
    return Message(
        approval_id=item[Messages.PARTITION_KEY],
        sequence=item["sequence"],
        kind=item["kind"],
        recipient=item["recipient"],
        number=item["number"],
        to_requester=item["to_requester"],
        to_audience=item["to_audience"],
        channel=item["channel"],
        address=item["address"],
        state=item["state"],
        due=parse_time(due) if due else None,
        attempts=item["attempts"],
        unanswered=item["unanswered"],
        reason=item["reason"],
        noted=item["noted"],
        sent_at=parse_time(sent_at) if sent_at else None,
        links=tuple(item["links"]),
        receipt=item["receipt"],
    )


def _due(item: Mapping[str, Any]) -> DueMessage:
    return DueMessage(
        item[Messages.PARTITION_KEY], item[Messages.SORT_KEY], parse_time(item[Messages.DUE])
    )
