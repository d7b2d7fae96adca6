"""What a workflow gets back from `wait_for_approval`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from hitl_approval.domain.approval import Vote
from hitl_approval.domain.audit import parse_time

FinalStatus = Literal["approved", "rejected", "timeout", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of an approval, read from the record.

    Attributes:
        approval_id: the record's id.
        status: how it ended.
        decided_by: whose answer decided; `hitl-approval` for a timeout.
        comments: what that person wrote.
        decided_at: when it was decided, UTC.
        votes: everyone's answers, in the order they came.
    """

    approval_id: str
    status: FinalStatus
    decided_by: str
    comments: str
    decided_at: datetime
    votes: tuple[Vote, ...]

    @property
    def approved(self) -> bool:
        """Whether to go on. False for a rejection, a timeout and a cancellation alike."""
        return self.status == "approved"

    @classmethod
    def from_view(cls, view: Mapping[str, Any]) -> Self:
        """Read the outcome from a terminal record's public view."""
        return cls(
            approval_id=view["approval_id"],
            status=view["status"],
            decided_by=view["decided_by"],
            comments=view["comments"],
            decided_at=parse_time(view["decided_at"]),
            votes=tuple(
                Vote(
                    v["approver"], v["identity"], v["decision"], v["comments"], parse_time(v["at"])
                )
                for v in view["votes"]
            ),
        )
