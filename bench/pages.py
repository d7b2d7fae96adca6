"""A page of the pending approvals, and of an inbox, among up to 100,000 rows: what it reads.

Capacity is computed from the items that the Query evaluates, by DynamoDB's rules (`bench.wire`): no
emulator meters it, and moto is too slow for 100,000 rows. A Query evaluates `Limit` items from
where it starts, then stops: what is seen here is that ours is one Query with a limit, a key
condition and no filter. The baseline is such a Query, written here, of the smallest table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

from bench.calls import CREDENTIALS, PAGE
from bench.figures import Figure, Group
from bench.wire import APPROVALS_TABLE, AUDIT_TABLE, INBOX_TABLE, Call, Wire
from hitl_approval.adapters.aws import client
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.inbox import DynamoDbInbox
from hitl_approval.contract import Table
from hitl_approval.ports.records import Page

ROWS = (100, 10_000, 100_000)
APPROVER = "bob@example.com"


def measure(quick: bool) -> Group:
    """Read the first page, and the one after it, of tables of each size."""
    with patch.dict(os.environ, CREDENTIALS):
        client.cache_clear()
        read = {rows: _pages(rows) for rows in ROWS[: 2 if quick else 3]}
        client.cache_clear()
    least = {name: calls[-1].read_units for name, calls in read[ROWS[0]].items()}
    return Group(
        title="A page of a list",
        figures=[
            Figure(
                name=f"read units of the {which} {name} page among {rows:,}",
                measured=calls[index].read_units,
                baseline=least[name],
                against="a bare Query of a page among 100",
                limit=1.2,
                goal="ratio at most",
            )
            for rows, lists in read.items()
            for name, calls in lists.items()
            for index, which in enumerate(("first", "second"))
        ],
        notes=["Computed from the items that the Query evaluates, not metered."],
    )


def _pages(rows: int) -> dict[str, list[Call]]:
    """Of each list the first page, the second, and the bare Query."""
    wire = Wire()
    database = client("dynamodb")
    wire.put_on(database)
    _fill(wire, rows)
    store = DynamoDbStore(client=database, approvals_table=APPROVALS_TABLE, audit_table=AUDIT_TABLE)
    inbox = DynamoDbInbox(client=database, table=INBOX_TABLE)
    lists: dict[str, tuple[Callable[[str | None], Page], dict[str, Any]]] = {
        "pending": (
            lambda cursor: store.list_by_status("pending", limit=PAGE, cursor=cursor),
            {
                "TableName": APPROVALS_TABLE,
                "IndexName": Table.STATUS_INDEX,
                "KeyConditionExpression": "#key = :value",
                "ExpressionAttributeNames": {"#key": Table.STATUS},
                "ExpressionAttributeValues": {":value": {"S": "pending"}},
            },
        ),
        "inbox": (
            lambda cursor: inbox.awaiting(APPROVER, limit=PAGE, cursor=cursor),
            {
                "TableName": INBOX_TABLE,
                "KeyConditionExpression": "approver = :value",
                "ExpressionAttributeValues": {":value": {"S": APPROVER}},
            },
        ),
    }
    taken = {}
    for name, (read, bare) in lists.items():
        first = read(None)
        second = read(first.cursor)
        database.query(**bare, Limit=PAGE)
        if len(first.items) != PAGE or len(second.items) != PAGE:
            raise RuntimeError(f"a page of {name} is not whole")
        taken[name] = wire.take()
        if [call.operation for call in taken[name]] != ["Query"] * 3:
            raise RuntimeError(f"a page of {name} is not one Query: {taken[name]}")
    client.cache_clear()
    return taken


def _fill(wire: Wire, rows: int) -> None:
    for number in range(rows):
        row = _row(number, f"{number:032x}")
        kept = {"status": "pending", "attention": "pending", "attention_at": row["expires_at"]}
        due = f"{row['expires_at']}#{row['approval_id']}"
        _put(wire, APPROVALS_TABLE, (row["approval_id"],), row | kept)
        _put(wire, INBOX_TABLE, (APPROVER, due), row | {"approver": APPROVER, "due": due})


def _put(wire: Wire, table: str, key: tuple[str, ...], item: Mapping[str, str]) -> None:
    wire.db.tables[table][tuple(f"S:{part}" for part in key)] = {
        name: {"S": value} for name, value in item.items()
    }


def _row(number: int, key: str) -> dict[str, str]:
    minutes, seconds = divmod(number, 60)
    return {
        "approval_id": key,
        "created_at": f"2026-01-{1 + minutes // 1440:02}T{minutes // 60 % 24:02}:{minutes % 60:02}"
        f":{seconds:02}.000Z",
        "subject": "Q4 Budget Proposal",
        "requester": "user@example.com",
        "expires_at": "2027-01-01T00:00:00.000Z",
    }
