"""A deployment's two tables, read with the operator's own credentials, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby, islice
from typing import Any, TypeVar

from hitl_approval.adapters.aws import CALL_ERRORS
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import read_item
from hitl_approval.adapters.kms import KmsSigner
from hitl_approval.adapters.rows import read_approval
from hitl_approval.contract import Audit, Output, Table
from hitl_approval.domain.agreement import Row
from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import ApprovalError, Unavailable, UnreadableRecord
from hitl_approval.ports.records import Attention, Postponed
from hitl_approval.usecases.trail import Trail, read_trail
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

Event = Mapping[str, Any]
"""An audit event as it is stored."""
T = TypeVar("T")

BATCH = 100
"""Most keys of one BatchGetItem, DynamoDB's quota."""
RETRY_SECONDS = 0.2
"""Until keys that DynamoDB left out are read again: a moment, so that a burst is over."""


@dataclass(frozen=True)
class Records:
    """The rows and the audit events of one deployment.

    Attributes:
        deployment: whose.
        signing_key: ARN of the key that must have signed the events; None for the stack's own.
    """

    deployment: Deployment
    signing_key: str | None = None

    def trail(self, approval_id: str) -> Trail:
        """One approval's trail and what is wrong with it.

        Raises:
            CliError: no approval ever had this id.
        """
        with self.reading():
            return read_trail(self._store, approval_id, self.signer)

    def stored(self, approval_id: str) -> Sequence[Event]:
        """One approval's audit events as they are stored, in order."""
        with self.reading():
            return self._store.history(approval_id)

    def trails(self) -> Iterator[list[Event]]:
        """Every trail in the audit table, in no order, one in memory at a time.

        A Scan reads partition after partition, each in the order of its sort key, so that an
        approval's events come together. Should they not, a trail comes in pieces.
        """
        events = self.events()
        for _, trail in groupby(events, key=lambda event: event[Audit.PARTITION_KEY]):
            yield list(trail)

    def events(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Event]:
        """Every audit event, or those since and before a time, as they are stored."""
        wanted: dict[str, Any] = {"TableName": self._store.audit_table, "ConsistentRead": True}
        limits = {name: at for name, at in ((">= :since", since), ("< :until", until)) if at}
        if limits:
            wanted |= {
                "FilterExpression": " AND ".join(f"#at {limit}" for limit in limits),
                "ExpressionAttributeNames": {"#at": "at"},
                "ExpressionAttributeValues": {
                    limit.split()[-1]: {"S": isoformat(at)} for limit, at in limits.items()
                },
            }
        return self._pages("scan", wanted)

    def event_count(self) -> int | None:
        """About how many audit events there are, if that may be read: for a progress bar only."""
        try:
            with self.reading():
                answer = self._store.client.describe_table(TableName=self._store.audit_table)
        except CliError:
            return None
        return int(answer["Table"]["ItemCount"]) or None

    def rows(self, ids: Iterable[str]) -> Iterator[tuple[str, Row]]:
        """The rows that still exist of these at most 100 ids, read whole, in no order."""
        keys = [{Table.PARTITION_KEY: {"S": approval_id}} for approval_id in ids]
        for item in self._batch(self._store.approvals_table, keys):
            row: Row
            try:
                row = read_approval(item)
            except UnreadableRecord as error:
                row = error
            yield item[Table.PARTITION_KEY], row

    def begun(self, ids: Iterable[str]) -> set[str]:
        """Which of these at most 100 approvals have a first audit event."""
        keys = [
            {Audit.PARTITION_KEY: {"S": approval_id}, Audit.SORT_KEY: {"N": "1"}}
            for approval_id in ids
        ]
        events = self._batch(self._store.audit_table, keys, Audit.PARTITION_KEY)
        return {event[Audit.PARTITION_KEY] for event in events}

    def overdue(self, attention: Attention, *, before: datetime, limit: int) -> Sequence[str]:
        """The ids of at most so many rows that have needed something since before a time."""
        with self.reading():
            return next(self._store.overdue(attention, before=before, limit=limit))

    def postponed(self) -> Sequence[Postponed]:
        """What the sweep has postponed or parked because something is amiss with it."""
        with self.reading():
            return [one for one in self._store.postponed() if one.reason is not None]

    def ids(self) -> Iterator[str]:
        """The ids of all rows, as the index has them by now, of each status the newest first."""
        for status in STATUSES:
            wanted = {
                "TableName": self._store.approvals_table,
                "IndexName": Table.STATUS_INDEX,
                "KeyConditionExpression": "#status = :status",
                "ExpressionAttributeNames": {"#status": Table.STATUS},
                "ExpressionAttributeValues": {":status": {"S": status}},
                "ScanIndexForward": False,
            }
            for row in self._pages("query", wanted):
                yield row[Table.PARTITION_KEY]

    @cached_property
    def signer(self) -> KmsSigner | None:
        """What verifies signatures, where events are signed."""
        key = self.signing_key or self.deployment.find_output(Output.SIGNING_KEY_ARN)
        return KmsSigner(client=self.deployment.client("kms"), key_arn=key) if key else None

    def signed(self, event: Event) -> bool:
        """Whether the deployment's key has signed this event; True where none signs."""
        if self.signer is None:
            return True
        with self.reading():
            signature = str(event.get(Audit.SIGNATURE, ""))
            return self.signer.verify(str(event.get(Audit.HASH)), signature)

    @cached_property
    def _store(self) -> DynamoDbStore:
        return DynamoDbStore(
            client=self.deployment.client("dynamodb"),
            approvals_table=self.deployment.output(Output.APPROVALS_TABLE_NAME),
            audit_table=self.deployment.output(Output.AUDIT_TABLE_NAME),
        )

    def _pages(self, operation: str, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            with self.reading():
                page = getattr(self._store.client, operation)(**wanted, **start)
                items = page["Items"]
            yield from map(read_item, items)
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _batch(
        self, table: str, keys: Sequence[Mapping[str, Any]], attributes: str | None = None
    ) -> Iterator[dict[str, Any]]:
        shown = {"ProjectionExpression": attributes} if attributes else {}
        unread: Any = {table: {"Keys": keys, "ConsistentRead": True, **shown}}
        while unread:
            with self.reading():
                answer = self._store.client.batch_get_item(RequestItems=unread)
                items = answer["Responses"].get(table, [])
            yield from map(read_item, items)
            if unread := answer.get("UnprocessedKeys"):
                clock.pause(RETRY_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """AWS's errors and the adapters' as one line that says what to do."""
        try:
            with self.deployment.errors():
                try:
                    yield
                except Unavailable as error:
                    if isinstance(error.__cause__, CALL_ERRORS):
                        raise error.__cause__ from None
                    raise
        except ApprovalError as error:
            raise CliError(str(error), code=error.code, details=error.details) from error


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items, so many at a time."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
