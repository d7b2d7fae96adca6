"""The store on DynamoDB: every transition is one transaction of the row and its audit event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code, unavailable
from hitl_approval.adapters.delegations import still_stands
from hitl_approval.adapters.items import errors, marshal, read_item
from hitl_approval.adapters.rows import (
    PARKED_AT,
    new_row,
    read_approval,
    read_postponed,
)
from hitl_approval.contract import Audit, Table
from hitl_approval.domain.approval import Approval, Status, Transition
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.edit import CHANGES, changes_view
from hitl_approval.domain.errors import VersionConflict
from hitl_approval.domain.escalation import needs_attention_at
from hitl_approval.domain.message import ASKS_OTHERS
from hitl_approval.domain.turn import FIRST
from hitl_approval.domain.values import is_edit
from hitl_approval.domain.view import listed, vote_view
from hitl_approval.ports.records import Attention, Page, Postponed, SweepList

_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
_POSTPONED: SweepList = "postponed"
_Write = Mapping[str, Any]
"""One write of a transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDbStore:
    """Approvals and audit events in their two tables.

    Attributes:
        client: a DynamoDB client.
        approvals_table: name of the approvals table.
        audit_table: name of the audit table; events are put, never updated or deleted.
        retention: how long a row stays after its expiry. Only `create` uses it.
    """

    client: Any
    approvals_table: str
    audit_table: str
    retention: timedelta = timedelta(days=30)

    def create(self, transition: Transition) -> Approval:
        """See `ports.Store.create`."""
        return self._create(transition, [])

    def create_instead(self, transition: Transition, ended: Transition) -> Approval:
        """See `ports.Store.create_instead`."""
        return self._create(transition, [self._update(ended), self._event(ended)])

    def _create(self, transition: Transition, more: Sequence[_Write]) -> Approval:
        row = new_row(transition.after, retention=self.retention)
        put = {
            "Put": {
                "TableName": self.approvals_table,
                "Item": marshal(row),
                "ConditionExpression": f"attribute_not_exists({Table.PARTITION_KEY})",
            }
        }
        try:
            self._transact([put, self._event(transition), *more])
        except VersionConflict:
            existing = self.get(transition.after.approval_id)
            if existing is None:  # the conflict was another transaction, not a record: try again
                raise
            return existing
        return transition.after

    def commit(self, transition: Transition) -> None:
        """See `ports.Store.commit`."""
        given = transition.delegation
        checks = [still_stands(self.approvals_table, given)] if given else []
        self._transact([self._update(transition), self._event(transition), *checks])

    def _update(self, transition: Transition) -> _Write:
        """What a transition changes of its row."""
        after = transition.after
        changed: dict[str, Any] = {
            Table.STATUS: after.status,
            "version": after.version,
            "audit_sequence": after.audit_sequence,
            "audit_hash": after.audit_hash,
            "votes": [vote_view(vote) for vote in after.votes],
            "comments": after.comments,
        }
        if after.thread_length:
            changed["thread_length"] = after.thread_length
        if after.superseded_by:
            changed["superseded_by"] = after.superseded_by
        others = transition.event.event in ASKS_OTHERS  # a place given back leaves no turn
        if after.pending and (others or after.turn != FIRST):
            changed |= {
                "turn": after.turn.to_dict(),
                "expires_at": isoformat(after.expires_at),
                Table.ATTENTION: "pending",
                Table.ATTENTION_AT: isoformat(needs_attention_at(after)),
            }
        if is_edit(transition.event.details):
            changed |= {
                "context": after.context,
                "content_digest": after.content_digest,
                CHANGES: changes_view(after.changes),
            }
        if after.decided_at:
            changed |= {
                "decision": after.status,
                "decided_by": after.decided_by,
                "decided_at": isoformat(after.decided_at),
                Table.ATTENTION: "decided",
                Table.ATTENTION_AT: isoformat(after.decided_at),
            }
        return {
            "Update": {
                "TableName": self.approvals_table,
                "Key": marshal({Table.PARTITION_KEY: after.approval_id}),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changed),
                "ConditionExpression": f"#version = :read AND #{Table.STATUS} = :pending",
                "ExpressionAttributeNames": {f"#{name}": name for name in changed},
                "ExpressionAttributeValues": marshal(
                    {f":{name}": value for name, value in changed.items()}
                    | {":read": after.version - 1, ":pending": "pending"}
                ),
            }
        }

    def _event(self, transition: Transition) -> _Write:
        """A transition's audit event, written once."""
        return {
            "Put": {
                "TableName": self.audit_table,
                "Item": marshal(transition.entry),
                "ConditionExpression": f"attribute_not_exists({Audit.PARTITION_KEY})",
            }
        }

    def register_callback(self, approval_id: str, callback_id: str) -> Approval | None:
        """See `ports.Store.register_callback`."""
        try:
            with errors():
                answer = self.client.update_item(
                    TableName=self.approvals_table,
                    Key=marshal({Table.PARTITION_KEY: approval_id}),
                    UpdateExpression="SET callback_id = :callback, version = version + :one",
                    ConditionExpression="#status = :pending",
                    ExpressionAttributeNames={"#status": Table.STATUS},
                    ExpressionAttributeValues=marshal(
                        {":callback": callback_id, ":one": 1, ":pending": "pending"}
                    ),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            item: Any = error.response.get("Item")
            return read_approval(read_item(item)) if item else None
        return read_approval(read_item(answer["Attributes"]))

    def mark_resumed(self, approval_id: str) -> None:
        """See `ports.Store.mark_resumed`."""
        try:
            with errors():
                self.client.update_item(
                    TableName=self.approvals_table,
                    Key=marshal({Table.PARTITION_KEY: approval_id}),
                    UpdateExpression="SET resumed = :true REMOVE attention, attention_at, "
                    "attention_tries, attention_reason",
                    ConditionExpression=f"attribute_exists({Table.PARTITION_KEY})",
                    ExpressionAttributeValues=marshal({":true": True}),
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise  # the row has gone: there is nothing to note

    def overdue(
        self, attention: Attention, *, before: datetime, limit: int
    ) -> Iterator[Sequence[str]]:
        """See `ports.Store.overdue`."""
        start: dict[str, Any] = {}
        while True:
            with errors():
                answer = self.client.query(
                    TableName=self.approvals_table,
                    IndexName=Table.ATTENTION_INDEX,
                    KeyConditionExpression="attention = :attention AND attention_at < :before",
                    ExpressionAttributeValues=marshal(
                        {":attention": attention, ":before": isoformat(before)}
                    ),
                    Limit=limit,
                    **start,
                )
            yield [str(read_item(item)[Table.PARTITION_KEY]) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def postponed(self) -> Iterator[Postponed]:
        """See `ports.Store.postponed`."""
        start: dict[str, Any] = {}
        while True:
            with errors():
                answer = self.client.query(
                    TableName=self.approvals_table,
                    IndexName=Table.ATTENTION_INDEX,
                    KeyConditionExpression="attention = :postponed",
                    ExpressionAttributeValues=marshal({":postponed": _POSTPONED}),
                    **start,
                )
            yield from map(read_postponed, map(read_item, answer["Items"]))
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def postpone(
        self,
        approval_id: str,
        *,
        found_on: SweepList,
        tries: int,
        until: datetime | None,
        reason: str | None,
    ) -> None:
        """See `ports.Store.postpone`."""
        change = "SET attention = :postponed, attention_at = :until, attention_tries = :tries"
        values = {
            ":postponed": _POSTPONED,
            ":until": isoformat(until or PARKED_AT),
            ":tries": tries,
            ":found": found_on,
        }
        if reason is None:
            change += " REMOVE attention_reason"
        else:
            change += ", attention_reason = :reason"
            values[":reason"] = reason
        self._attend(approval_id, change, "attention = :found", values)

    def take_up(self, approval_id: str, *, at: datetime) -> bool:
        """See `ports.Store.take_up`."""
        return self._attend(
            approval_id,
            "SET attention_at = :at, attention_tries = :none",
            "attention = :postponed",
            {":at": isoformat(at), ":none": 0, ":postponed": _POSTPONED},
        )

    def _attend(
        self, approval_id: str, change: str, condition: str, values: Mapping[str, Any]
    ) -> bool:
        """Change when a record gets attention; whether the condition held."""
        try:
            with errors():
                self.client.update_item(
                    TableName=self.approvals_table,
                    Key=marshal({Table.PARTITION_KEY: approval_id}),
                    UpdateExpression=change,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=marshal(values),
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def count_pending(self, *, most: int) -> int:
        """See `ports.Store.count_pending`."""
        count = 0
        start: dict[str, Any] = {}
        while True:
            with errors():
                answer = self.client.query(
                    TableName=self.approvals_table,
                    IndexName=Table.ATTENTION_INDEX,
                    KeyConditionExpression="attention = :pending",
                    ExpressionAttributeValues=marshal({":pending": "pending"}),
                    Select="COUNT",
                    **start,
                )
            count += int(answer["Count"])
            if "LastEvaluatedKey" not in answer or count >= most:
                return min(count, most)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def get(self, approval_id: str) -> Approval | None:
        """See `ports.Store.get`."""
        with errors():
            answer = self.client.get_item(
                TableName=self.approvals_table,
                Key=marshal({Table.PARTITION_KEY: approval_id}),
                ConsistentRead=True,
            )
        item = answer.get("Item")
        return read_approval(read_item(item)) if item else None

    def list_by_status(
        self, status: Status, *, limit: int, cursor: str | None, since: datetime | None = None
    ) -> Page:
        """See `ports.Store.list_by_status`."""
        start: dict[str, Any] = {}
        condition, values = "#status = :status", {":status": str(status)}
        if since is not None:
            condition += " AND created_at >= :since"
            values[":since"] = isoformat(since)
        if cursor:
            if since is not None and decode_cursor(cursor)[0] < values[":since"]:
                return Page([], None)  # DynamoDB refuses to start outside of what is asked for
            start = {"ExclusiveStartKey": _start_key(cursor, status)}
        with errors():
            answer = self.client.query(
                TableName=self.approvals_table,
                IndexName=Table.STATUS_INDEX,
                KeyConditionExpression=condition,
                ExpressionAttributeNames={"#status": Table.STATUS},
                ExpressionAttributeValues=marshal(values),
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        last = read_item(answer.get("LastEvaluatedKey", {}))
        return Page(
            [listed(read_item(item)) for item in answer["Items"]],
            encode_cursor(last[Table.CREATED_AT], last[Table.PARTITION_KEY]) if last else None,
        )

    def history(self, approval_id: str) -> Sequence[Mapping[str, Any]]:
        """See `ports.Store.history`."""
        events: list[Mapping[str, Any]] = []
        start: dict[str, Any] = {}
        while True:
            with errors():
                answer = self.client.query(
                    TableName=self.audit_table,
                    KeyConditionExpression="approval_id = :id",
                    ExpressionAttributeValues=marshal({":id": approval_id}),
                    ConsistentRead=True,
                    **start,
                )
            events += [read_item(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return events
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _transact(self, writes: Sequence[_Write]) -> None:
        try:
            with errors():
                self.client.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = {r.get("Code") for r in error.response.get("CancellationReasons", [])}
            if reasons & _CONFLICTS:
                raise VersionConflict from error
            if reasons <= {"None", "ThrottlingError", "ProvisionedThroughputExceeded"}:
                raise unavailable("DynamoDB", error) from error
            raise


def _start_key(cursor: str, status: str) -> dict[str, Any]:
    created_at, approval_id = decode_cursor(cursor)
    return marshal(
        {
            Table.STATUS: status,
            Table.CREATED_AT: created_at,
            Table.PARTITION_KEY: approval_id,
        }
    )
