"""How fast a sweep works off what was left behind: many overdue rows in the local cloud's DynamoDB.

The sweep runs in this process, as in its function, and its calls of DynamoDB are real. Lambda is
asked in this process: half of the rows are decided, and their workflows have ended; the other half
is pending past its expiry, so that each is closed with its audit event, signed by nobody.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config

from bench.figures import Figure, Group
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.adapters.items import marshal
from hitl_approval.adapters.rows import new_row
from hitl_approval.contract import Table
from hitl_approval.domain.audit import isoformat
from hitl_approval.testing import FakeExecutions, RecordingCallbackClient, RecordingMeter
from hitl_approval.testing.memory import FixedClock
from hitl_approval.usecases.sweep import SweepService
from hitl_approval_cli.local import LocalCloud
from tests.anything import any_opening
from tests.contract.test_store import create_tables

BATCH = 25
"""Rows of one BatchWriteItem, DynamoDB's quota."""
WITHIN = timedelta(seconds=240)
"""Of one sweep: the time of its function."""


def measure(quick: bool) -> Group:
    """Leave rows behind, sweep until none is."""
    count = 500 if quick else 10_000
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud.start(log_file=Path(folder) / "cloud.log") as cloud,
        patch.dict(os.environ, cloud.environment()),
    ):
        client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 3}))
        create_tables(client)
        clock = FixedClock()
        _leave_behind(client, count, clock)
        clock.advance(timedelta(days=2))
        store = DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")
        service = SweepService(
            store=store,
            clock=clock,
            meter=RecordingMeter(),
            callbacks=RecordingCallbackClient(),
            executions=_Ended(),
        )
        began = time.monotonic()
        found = service.sweep()
        taken = time.monotonic() - began
        found = {name: number for name, number in found.items() if number}
        again = service.sweep()
    assert sum(found.values()) == count, found
    assert not any(again.values()), again
    return Group(
        title="The sweep",
        figures=[
            Figure(
                name=f"{count:,} overdue rows worked off",
                measured=round(60 * count / taken),
                unit="a minute",
                note="one after another, on the local cloud's DynamoDB; one sweep has "
                f"{WITHIN.seconds} s, the next goes on where it ended",
            )
        ],
    )


class _Ended(FakeExecutions):
    def check_status(self, execution_arn: str) -> Any:  # noqa: ARG002  a port's signature
        return "ended"


def _leave_behind(client: Any, count: int, clock: FixedClock) -> None:
    rows = []
    for number in range(count):
        opening = any_opening(
            approval_id=f"{number:032x}", now=clock.now(), execution_arn=f"arn/{number}"
        )
        row = new_row(opening.after, retention=timedelta(days=30))
        if number % 2:
            at = isoformat(clock.now())
            row |= {
                Table.STATUS: "approved",
                "decision": "approved",
                "decided_by": "bob",
                "decided_at": at,
                Table.ATTENTION: "decided",
                Table.ATTENTION_AT: at,
            }
        rows.append({"PutRequest": {"Item": marshal(row)}})
    for first in range(0, count, BATCH):
        client.batch_write_item(RequestItems={"approvals": rows[first : first + BATCH]})
