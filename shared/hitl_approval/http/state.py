"""Who may still answer: the one place that decides whether a page offers a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from hitl_approval.domain.approval import Approval, Vote

State = Literal["open", "answered", "superseded", "decided", "expired", "onlooker"]
"""Of what is shown to somebody: `open` to their answer; `answered` by them, `superseded` by a newer
link to them, `decided` by others or withdrawn, `expired` when nobody decided in time; an `onlooker`
may not decide."""
Barred = Literal["superseded", "onlooker"]
"""Why somebody may not answer what others still can."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What is shown to an approver who follows a link, or to somebody who has signed in."""

    approval: Approval
    approver: str
    state: State

    @classmethod
    def by(cls, approver: str, approval: Approval, *, now: datetime, barred: Barred | None) -> Self:
        """The approval as it stands for this person.

        Args:
            approver: this person's name.
            approval: the record.
            now: the time.
            barred: why this person may not answer, although the request is open; None if they may.
        """
        return cls(approval, approver, _state(approver, approval, now, barred))

    @property
    def vote(self) -> Vote | None:
        """What this person has answered."""
        return self.approval.vote_of(self.approver)


def _state(approver: str, approval: Approval, now: datetime, barred: Barred | None) -> State:
    if approval.vote_of(approver) is not None:
        return "answered"
    if approval.status == "timeout":
        return "expired"
    if not approval.pending:
        return "decided"
    if now >= approval.expires_at:
        return "expired"
    return barred or "open"
