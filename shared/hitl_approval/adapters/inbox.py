"""The inbox on DynamoDB: one item for each approver and request, gone once it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hitl_approval.adapters.items import errors, marshal, read_item
from hitl_approval.contract import Inbox
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.text import MAX_PERSON_KEY, spelling
from hitl_approval.domain.view import entry
from hitl_approval.ports.records import Page

KEPT = timedelta(days=7)
"""How long an item outlives its request's expiry when no event has removed it: the sweep and the
stream, which keeps records for a day, have had their time by then."""
AT_ONCE = 25
"""Items that DynamoDB takes in one BatchWriteItem (API reference)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDbInbox:
    """What awaits each approver, in a table of its own.

    Attributes:
        client: a DynamoDB client.
        table: name of the inbox table.
    """

    client: Any
    table: str

    def add(self, approval: Approval, names: Sequence[str]) -> None:
        """See `ports.Inbox.add`."""
        shown = entry(approval) | {Inbox.TTL: int((approval.expires_at + KEPT).timestamp())}
        self._write(
            [
                {"PutRequest": {"Item": marshal(_key(approval, name) | shown)}}
                for name in filter(_fits, names)
            ]
        )

    def remove(self, approval: Approval, names: Sequence[str]) -> None:
        """See `ports.Inbox.remove`."""
        self._write(
            [
                {"DeleteRequest": {"Key": marshal(_key(approval, name))}}
                for name in filter(_fits, names)
            ]
        )

    def awaiting(self, name: str, *, limit: int, cursor: str | None) -> Page:
        """See `ports.Inbox.awaiting`."""
        key = {Inbox.PARTITION_KEY: spelling(name)}
        start: dict[str, Any] = {}
        if cursor is not None:
            after = key | {Inbox.SORT_KEY: _due(*decode_cursor(cursor))}
            start = {"ExclusiveStartKey": marshal(after)}
        with errors():
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=f"{Inbox.PARTITION_KEY} = :person",
                ExpressionAttributeValues=marshal({":person": spelling(name)}),
                Limit=limit,
                **start,
            )
        items = [read_item(item) for item in answer["Items"]]
        last = items[-1] if "LastEvaluatedKey" in answer else None
        hidden = {Inbox.PARTITION_KEY, Inbox.SORT_KEY, Inbox.TTL}
        return Page(
            [{name: item[name] for name in item if name not in hidden} for item in items],
            encode_cursor(last["expires_at"], last["approval_id"]) if last else None,
        )

    def _write(self, requests: Sequence[Mapping[str, Any]]) -> None:
        for first in range(0, len(requests), AT_ONCE):
            batch = list(requests[first : first + AT_ONCE])
            with errors():
                answer = self.client.batch_write_item(RequestItems={self.table: batch})
            if answer.get("UnprocessedItems"):
                msg = "DynamoDB did not take all of an inbox's items: try again"
                raise Unavailable(msg)


def _key(approval: Approval, name: str) -> dict[str, str]:
    due = _due(isoformat(approval.expires_at), approval.approval_id)
    return {Inbox.PARTITION_KEY: spelling(name), Inbox.SORT_KEY: due}


def _fits(name: str) -> bool:
    """Whether an item can have this name's key. All that are accepted now can."""
    return 0 < len(spelling(name).encode()) <= MAX_PERSON_KEY


def _due(expires_at: str, approval_id: str) -> str:
    return f"{expires_at}#{approval_id}"
