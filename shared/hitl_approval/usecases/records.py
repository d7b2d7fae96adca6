"""What the use cases share: one record, read, changed and signed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_urlsafe

from hitl_approval.domain.approval import (
    Approval,
    Transition,
)
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    Unavailable,
    VersionConflict,
)
from hitl_approval.ports.outside import Clock, Meter, Signer
from hitl_approval.ports.records import Store

logger = logging.getLogger(__name__)

MAX_TRIES = 100
"""Tries of a contended write."""
PATIENCE = timedelta(seconds=20)
"""How long they go on: with 500 approvers voting at once most get through, and an invocation, which
has 30 seconds, still has time to say `UNAVAILABLE` to the others."""
_SALT_BYTES = 16
"""128 bits, which nobody guesses."""


def draw_salt() -> str:
    """A salt for one value: the operating system's randomness."""
    return token_urlsafe(_SALT_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What both sides share: the record, time and the metrics.

    Attributes:
        salt: draws the salt of each personal value that is put on record.
    """

    store: Store
    clock: Clock
    meter: Meter
    signer: Signer | None = None
    salt: Callable[[], str] = draw_salt

    def get(self, approval_id: str) -> Approval:
        """One approval.

        Raises:
            ApprovalNotFound: no approval has this id.
        """
        approval = self.store.get(approval_id)
        if approval is None:
            raise ApprovalNotFound(approval_id)
        return approval

    def _change(
        self, approval_id: str, change: Callable[[Approval], Transition | None]
    ) -> tuple[Approval, bool]:
        """Read, decide, commit; on a conflict read and decide again.

        Returns:
            The record, and whether this call changed it.
        """
        until = self.clock.now() + PATIENCE
        for attempt in range(1, MAX_TRIES + 1):
            approval = self.get(approval_id)
            transition = change(approval)
            if transition is None:
                return approval, False
            try:
                transition = self._sealed(transition)
                self.store.commit(transition)
            except VersionConflict:
                if self.clock.now() >= until:
                    break
                self.clock.pause(attempt)
                continue
            logger.info("%s approval_id=%s", transition.event.event, approval_id)
            return transition.after, True
        raise Unavailable("the record is contended: try again")

    def _sealed(self, transition: Transition) -> Transition:
        """A transition as it is committed: personal values salted, the event signed."""
        salted = transition.salted(self.salt)
        if self.signer is None:
            return salted
        return replace(salted, signature=self.signer.sign(salted.event.hash))
