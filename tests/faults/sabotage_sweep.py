"""Ways to break the sweep, and what it relies on, on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain import ending
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import SYSTEM
from hitl_approval.domain.ending import expire
from hitl_approval.durable import wait
from hitl_approval.ports.records import Attention, Postponed
from hitl_approval.usecases.sweep import Outcome, SweepService, _Seen


@contextmanager
def _sweep_closes_before_the_expiry() -> Iterator[None]:
    overdue = DynamoDbStore.overdue

    def soon(
        self: DynamoDbStore, attention: Attention, *, before: datetime, limit: int
    ) -> Iterator[Sequence[str]]:
        return overdue(self, attention, before=before + timedelta(days=1), limit=limit)

    def close(self: SweepService, approval_id: str) -> Outcome:
        def over(approval: Approval) -> Transition | None:
            return expire(approval, now=max(self.clock.now(), approval.expires_at))

        return "repaired" if self._change(approval_id, over)[1] else "well"

    with patch.object(DynamoDbStore, "overdue", soon), patch.object(SweepService, "_close", close):
        yield


@contextmanager
def _sweep_decides_approved() -> Iterator[None]:
    def close(self: SweepService, approval_id: str) -> Outcome:
        def approved(approval: Approval) -> Transition | None:
            now = self.clock.now()
            return ending.end(approval, "approved", SYSTEM, "", now=now, details={})

        return "repaired" if self._change(approval_id, approved)[1] else "well"

    with patch.object(SweepService, "_close", close):
        yield


@contextmanager
def _sweep_resumes_once_and_forgets() -> Iterator[None]:
    resume = SweepService._resume

    def forgetful(self: SweepService, approval_id: str) -> Outcome:
        resume(self, approval_id)
        return "ended"

    with patch.object(SweepService, "_resume", forgetful):
        yield


@contextmanager
def _sweep_resumes_nobody() -> Iterator[None]:
    with patch.object(SweepService, "_resume", lambda *_: "resumed"):
        yield


@contextmanager
def _sweep_closes_what_it_read_first() -> Iterator[None]:
    """It trusts the index: closes whatever was overdue, with nothing to keep it from doing so."""

    def close(self: SweepService, approval_id: str) -> Outcome:
        store: Any = self.store
        store.client.update_item(
            TableName=store.approvals_table,
            Key={"approval_id": {"S": approval_id}},
            UpdateExpression="SET #status = :timeout",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":timeout": {"S": "timeout"}},
        )
        return "repaired"

    with patch.object(SweepService, "_close", close):
        yield


@contextmanager
def _sweep_notes_before_it_counts() -> Iterator[None]:
    resume = SweepService._resume

    def noting(self: SweepService, approval_id: str) -> Outcome:
        found = resume(self, approval_id)
        if found == "ended":
            self.store.mark_resumed(approval_id)
        return found

    with patch.object(SweepService, "_resume", noting):
        yield


@contextmanager
def _workflow_does_not_note_an_early_decision() -> Iterator[None]:
    listen = wait._Wait._listen

    def hasty(self: Any, snapshot: Any, *args: Any) -> Any:
        return listen(self, snapshot, *args) if snapshot["status"] == "pending" else snapshot

    with patch.object(wait._Wait, "_listen", hasty):
        yield


@contextmanager
def _sweep_dies_of_one_record() -> Iterator[None]:
    def repair(self: SweepService, one: Postponed) -> Any:
        repair = self._close if one.pending else self._resume
        return _Seen(repair(one.approval_id))

    with patch.object(SweepService, "_repair", repair):
        yield


@contextmanager
def _sweep_says_nothing_of_what_it_passes() -> Iterator[None]:
    repair = SweepService._repair

    def silent(self: SweepService, one: Postponed) -> Any:
        became = repair(self, one)
        return _Seen("well") if became.outcome == "unreadable" else became

    with patch.object(SweepService, "_repair", silent):
        yield
