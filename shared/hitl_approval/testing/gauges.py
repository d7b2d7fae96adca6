"""What is measured of the approvals in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hitl_approval.domain.escalation import needs_attention_at
from hitl_approval.ports.records import Attention
from hitl_approval.testing.memory import InMemoryStore


@dataclass(frozen=True, slots=True)
class InMemoryGauges:
    """Reads the store in memory."""

    store: InMemoryStore

    def attention_since(self, attention: Attention) -> datetime | None:
        """See `ports.Gauges.attention_since`."""
        times = [
            since
            for approval in self.store.approvals.values()
            if not (approval.resumed or approval.approval_id in self.store.waiting)
            and approval.pending == (attention == "pending")
            and (since := needs_attention_at(approval) if approval.pending else approval.decided_at)
        ]
        return min(times, default=None)

    def pending_since(self, rank: int) -> datetime | None:
        """See `ports.Gauges.pending_since`."""
        made = sorted(each.created_at for each in self.store.approvals.values() if each.pending)
        return made[rank] if rank < len(made) else None
