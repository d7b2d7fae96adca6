"""A page of the pending approvals among 100, 10,000 and 100,000: what its Query reads.

Capacity is computed from the items that the Query evaluates, by DynamoDB's rules (`bench.wire`): no
emulator meters it, and moto is too slow for 100,000 rows. A Query evaluates `Limit` items from
where it starts, then stops: what is seen here is that ours is one Query with a limit, a key
condition and no filter.
"""

from __future__ import annotations

import os
from unittest.mock import patch

from bench.calls import CREDENTIALS, PAGE
from bench.figures import Figure, Group
from bench.wire import APPROVALS_TABLE, AUDIT_TABLE, Call, Wire
from hitl_approval.adapters.aws import client
from hitl_approval.adapters.dynamodb import DynamoDbStore

ROWS = (100, 10_000, 100_000)


def measure(quick: bool) -> Group:
    """Read the first page, and the one after it, of tables of each size."""
    with patch.dict(os.environ, CREDENTIALS):
        client.cache_clear()
        read = {rows: _two_pages(rows) for rows in ROWS[: 2 if quick else 3]}
        client.cache_clear()
    least = read[ROWS[0]][0].read_units
    return Group(
        title="A page of a list",
        figures=[
            Figure(
                name=f"read units of the {which} pending page among {rows:,}",
                measured=pages[index].read_units,
                baseline=least,
                against="one Query of a page",
                limit=1.2,
                goal="ratio at most",
            )
            for rows, pages in read.items()
            for index, which in enumerate(("first", "second"))
        ],
        notes=["Computed from the items that the Query evaluates, not metered."],
    )


def _two_pages(rows: int) -> list[Call]:
    wire = Wire()
    wire.put_on(client("dynamodb"))
    table = wire.db.tables[APPROVALS_TABLE]
    for number in range(rows):
        key = f"{number:032x}"
        table[(f"S:{key}",)] = {name: {"S": value} for name, value in _row(number, key).items()}
    store = DynamoDbStore(
        client=client("dynamodb"), approvals_table=APPROVALS_TABLE, audit_table=AUDIT_TABLE
    )
    page = store.list_by_status("pending", limit=PAGE, cursor=None)
    after = store.list_by_status("pending", limit=PAGE, cursor=page.cursor)
    if len(page.items) != PAGE or len(after.items) != PAGE:
        raise RuntimeError("a page is not whole")
    calls = wire.take()
    client.cache_clear()
    if [call.operation for call in calls] != ["Query", "Query"]:
        raise RuntimeError(f"a page is not one Query: {calls}")
    return calls


def _row(number: int, key: str) -> dict[str, str]:
    minutes, seconds = divmod(number, 60)
    return {
        "approval_id": key,
        "status": "pending",
        "created_at": f"2026-01-{1 + minutes // 1440:02}T{minutes // 60 % 24:02}:{minutes % 60:02}"
        f":{seconds:02}.000Z",
        "subject": "Q4 Budget Proposal",
        "requester": "user@example.com",
        "expires_at": "2027-01-01T00:00:00.000Z",
        "attention": "pending",
        "attention_at": "2027-01-01T00:00:00.000Z",
    }
