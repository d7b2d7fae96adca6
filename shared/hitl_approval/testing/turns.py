"""Whose turn it is, in a test's deployment: handing over, taking back, and escalation by time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.escalation import escalate, escalates_at
from hitl_approval.testing.memory import InMemoryStore
from hitl_approval.usecases.decide import DecisionService


class Turns(ABC):
    """Hands over and takes back, as people do; a part of `Approvals`."""

    _decisions: DecisionService

    @abstractmethod
    def wait_until_idle(self) -> None:
        """Wait until every function has ended, or waits for people or for time."""

    @abstractmethod
    def _one(self, approval: Approval | None) -> Approval:
        """The approval that is meant."""

    @abstractmethod
    def _resumed(self, approval: Approval) -> Approval:
        """The approval once its function has read its end."""

    def reassign(
        self,
        approval: Approval | None = None,
        *,
        to: str,
        giver: str | None = None,
        by: str | None = None,
        comments: str = "",
        identity: Identity = "declared",
    ) -> Approval:
        """Ask somebody else in an approver's place; returns the record as it then is.

        Args:
            approval: one of `pending()`. Default: the only one.
            to: who is asked from now on.
            giver: whose place it is. Default: the only one's who is asked.
            by: who hands over. Default: whose place it is.
            comments: why.
            identity: how the name of who hands over is known.

        Raises:
            AssertionError: as `approve`; or several people are asked and no `giver` was named.
            ApprovalError: it is refused.
        """
        found = self._one(approval)
        if giver is None:
            if len(found.asked) != 1:
                msg = f"name the giver: {list(found.asked)} are asked"
                raise AssertionError(msg)
            giver = found.asked[0]
        given = self._decisions.reassign(
            found.approval_id, Actor(by or giver, identity), giver=giver, to=to, comments=comments
        )
        self.wait_until_idle()
        return given

    def retract(
        self,
        approval: Approval | None = None,
        *,
        by: str,
        identity: Identity = "declared",
    ) -> Approval:
        """Take somebody's own answer back; see `approve`."""
        found = self._one(approval)
        answer = self._decisions.retract(found.approval_id, Actor(by, identity))
        return self._resumed(answer.approval)


def next_escalation(store: InMemoryStore) -> datetime | None:
    """When the next step of any escalation is due; None when none is."""
    return min(filter(None, map(escalates_at, store.approvals.values())), default=None)


def escalate_due(store: InMemoryStore, now: datetime) -> None:
    """Take the steps that are due, as the sweep does."""
    for approval in list(store.approvals.values()):
        step = escalate(approval, now=now)
        if step is not None:
            store.commit(step)
