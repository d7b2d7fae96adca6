"""The sweep: it repairs what a crash, an outage or an operator left behind."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from hitl_approval.contract import Metrics
from hitl_approval.domain.approval import (
    expire,
)
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    Unavailable,
)
from hitl_approval.ports import (
    Attention,
    CallbackClient,
    Executions,
)
from hitl_approval.usecases.records import Records

logger = logging.getLogger(__name__)

SWEEP_GRACE = timedelta(minutes=5)
"""How long a workflow has to act by itself: longer than clocks differ."""
SWEEP_PAGE = 100
"""Records that a sweep takes up together: one answer of DynamoDB."""
SWEEP_SHARE = 0.4
"""Of a sweep's time, for each of the two kinds of records; the rest is for what it notes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepService(Records):
    """Finds and repairs what a crash, an outage or an operator left behind.

    A workflow that is alive repairs by itself: a lost callback, a message that was not sent. The
    sweep is for the rest, and for the time in between.
    """

    callbacks: CallbackClient
    executions: Executions

    def sweep(self, within: timedelta | None = None) -> dict[str, int]:
        """Close what is past its expiry, resume who has not read a decision; count both.

        Takes up all there is, whatever becomes of one record, as far as its time goes.

        Args:
            within: the time there is. Default: as long as it takes.

        Returns:
            How many were found, by metric. Found again at the next sweep are only those whose
            workflow still runs and has not read the decision, and those that nobody can repair.
        """
        began = self.clock.now()
        found = Counter(
            {
                Metrics.PENDING_PAST_EXPIRY: 0,
                Metrics.DECIDED_NOT_RESUMED: 0,
                Metrics.PASSED_OVER: 0,
            }
        )
        lists: tuple[tuple[Attention, str, Repair], ...] = (
            ("pending", Metrics.PENDING_PAST_EXPIRY, self._close),
            ("decided", Metrics.DECIDED_NOT_RESUMED, self._resume),
        )
        for number, (attention, metric, repair) in enumerate(lists, start=1):
            until = None if within is None else began + number * SWEEP_SHARE * within
            pages = self.store.overdue(attention, before=began - SWEEP_GRACE, limit=SWEEP_PAGE)
            for ids in pages:
                gone: list[str] = []
                seen = Counter({metric: 0, Metrics.PASSED_OVER: 0})
                for approval_id in ids:
                    if until is not None and self.clock.now() >= until:
                        logger.error("time is up, and not all of %s is seen", attention)
                        seen[Metrics.PASSED_OVER] += 1
                        break
                    if became := self._repair(approval_id, repair, gone, metric):
                        seen[became] += 1
                for name, count in seen.items():
                    self.meter.count(name, count)
                    found[name] += count
                # Counted first: a sweep that dies here counts again, not never.
                for approval_id in gone:
                    with suppress(Unavailable):
                        self.store.mark_resumed(approval_id)
                if until is not None and self.clock.now() >= until:
                    break
        with suppress(Unavailable):  # a gauge: the next sweep reads it again
            self.meter.measure(Metrics.PENDING, self.store.count_pending(), "Count")
        return dict(found)

    def _repair(self, approval_id: str, repair: Repair, gone: list[str], metric: str) -> str | None:
        """Repair one record; one that cannot be repaired hides no other.

        Returns:
            The metric that it counts for, if it does.
        """
        try:
            return metric if repair(approval_id, gone) else None
        except ApprovalNotFound:  # removed since the index was written
            return None
        except Unavailable as error:
            logger.warning("not repaired now: %s approval_id=%s", error, approval_id)
            return metric
        except Exception as error:  # noqa: BLE001  its own, whatever it is: the next one waits
            # By its kind: the text of an error may hold what stands in the record.
            logger.warning("passed over: %s approval_id=%s", type(error).__name__, approval_id)
            return Metrics.PASSED_OVER

    def _close(self, approval_id: str, gone: list[str]) -> bool:
        """Write the expiry that the workflow did not write; whether this call did."""
        approval, changed = self._change(
            approval_id, lambda approval: expire(approval, now=self.clock.now())
        )
        if changed:
            logger.warning("closed after its expiry approval_id=%s", approval_id)
            self._resume(approval.approval_id, gone)
        return changed

    def _resume(self, approval_id: str, gone: list[str]) -> bool:
        """Resume a workflow that has not read the decision; whether that was amiss.

        A workflow that polls reads it at its next poll. One that has ended, stopped by an operator
        say, never will: that is put in the log and, once it is counted, needs no more attention.
        """
        approval = self.get(approval_id)
        if approval.pending or approval.resumed:
            return False
        if self.executions.check_status(approval.execution_arn) == "ended":
            logger.error("decided, but its workflow has ended approval_id=%s", approval_id)
            gone.append(approval_id)
            return True
        if approval.callback_id is None:
            return False
        self.callbacks.complete(approval.callback_id)
        return True


Repair = Callable[[str, list[str]], bool]
"""Repairs the record of an id; whether something was amiss. Notes whose workflow is gone."""
