"""`hitl audit erase` as it is a day later: what has ended just now is settled."""

from __future__ import annotations

from datetime import timedelta

from hitl_approval.contract import Output
from hitl_approval_cli import clock
from hitl_approval_cli.erasing import Erasing
from tests.deployed import Live


def erase(live: Live, person: str) -> list[str]:
    """Erase somebody; the approvals that they are erased from."""
    erasing = Erasing(
        client=live.deployment.client("dynamodb"),
        approvals_table=live.deployment.output(Output.APPROVALS_TABLE_NAME),
        audit_table=live.deployment.output(Output.AUDIT_TABLE_NAME),
        inbox_table=live.deployment.find_output(Output.INBOX_TABLE_NAME),
        messages_table=live.deployment.find_output(Output.MESSAGES_TABLE_NAME),
        signer=None,
        person=person,
        now=clock.now(),
        settled=timedelta(0),
    )
    found = erasing.find()
    assert found.refused == []
    assert [erasing.erase(approval) for approval in found.approvals] == [None] * len(
        found.approvals
    )
    return [approval.approval_id for approval in found.approvals]
