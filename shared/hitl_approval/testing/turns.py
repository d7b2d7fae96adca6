"""Whose turn it is, in a test's deployment: handing over, standing in, taking back, escalation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor, Identity
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.escalation import escalate, escalates_at
from hitl_approval.testing.memory import InMemoryStore
from hitl_approval.testing.virtual_time import StandingClock
from hitl_approval.usecases.decide import DecisionService


class Turns(ABC):
    """Hands over, lets stand in and takes back, as people do; a part of `Approvals`."""

    _decisions: DecisionService
    clock: StandingClock

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

    def delegate(
        self,
        *,
        to: str,
        giver: str,
        until: timedelta,
        starts: timedelta = timedelta(0),
        by: str | None = None,
        identity: Identity = "declared",
    ) -> Delegation:
        """Let another person answer what somebody is asked while they are away.

        Args:
            to: who may answer then.
            giver: who is away.
            until: how long from now it ends.
            starts: how long from now it begins. Default: at once.
            by: who says so. Default: who is away.
            identity: how their name is known.

        Raises:
            ApprovalError: it is refused.
        """
        now = self.clock.now()
        return self._decisions.delegating.delegate(
            Actor(by or giver, identity),
            giver=giver,
            to=to,
            starts_at=now + starts,
            until=now + until,
        )

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
