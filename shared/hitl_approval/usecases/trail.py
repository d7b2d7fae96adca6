"""The audit trail of one approval, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_approval.contract import Audit
from hitl_approval.domain.agreement import Row, examine
from hitl_approval.domain.approval import (
    Approval,
)
from hitl_approval.domain.audit import Finding
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    UnreadableRecord,
)
from hitl_approval.ports.outside import Signer
from hitl_approval.ports.records import Store

TRIES = 10
"""Reads of a trail and its row until nothing was written between them."""


@dataclass(frozen=True, slots=True)
class Trail:
    """An audit trail, oldest event first, and what `verify` found wrong with it.

    Attributes:
        events: as they are stored.
        findings: what is wrong.
        approval: the record; None where it is gone or cannot be read.
    """

    events: Sequence[Mapping[str, Any]]
    findings: Sequence[Finding]
    approval: Approval | None = None


def unsigned(events: Sequence[Mapping[str, Any]], signer: Signer | None) -> list[Finding]:
    """What is wrong with the signatures of a trail, where its deployment signs."""
    if signer is None:
        return []
    return [
        Finding(number, "is not signed by the deployment's key")
        for number, event in enumerate(events, start=1)
        if not signer.verify(str(event.get(Audit.HASH)), str(event.get(Audit.SIGNATURE, "")))
    ]


def read_trail(store: Store, approval_id: str, signer: Signer | None) -> Trail:
    """The audit trail of one approval, and what is wrong with it or with its row.

    Raises:
        ApprovalNotFound: no approval ever had this id.
    """

    def read_row() -> Row:
        try:
            return store.get(approval_id)
        except UnreadableRecord as error:
            return error

    row = read_row()
    for _ in range(TRIES):
        events = store.history(approval_id)
        before, row = row, read_row()
        if _head(row) == _head(before):  # nothing was written between the reads
            break
    if not events and row is None:
        raise ApprovalNotFound(approval_id)
    approval = row if isinstance(row, Approval) else None
    return Trail(events, [*examine(events, row), *unsigned(events, signer)], approval)


def _head(row: Row) -> object:
    return row.audit_head if isinstance(row, Approval) else str(row)
