"""The sweep: it repairs what a crash, an outage or an operator left behind."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from hitl_approval.contract import Metrics
from hitl_approval.domain import escalation
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.ending import expire
from hitl_approval.domain.errors import (
    ApprovalNotFound,
    Unavailable,
    UnreadableRecord,
)
from hitl_approval.ports.outside import CallbackClient, Executions
from hitl_approval.ports.records import Attention, Gauges, Postponed, SweepList
from hitl_approval.usecases.gauge import measure
from hitl_approval.usecases.records import Records

logger = logging.getLogger(__name__)

SWEEP_PAGE = 100
"""Records that a sweep takes up together: one answer of DynamoDB."""
SWEEP_SHARE = 0.3
"""Of a sweep's time, for each of the three lists of records; the rest is for what it notes."""
SHORTEST_PAUSE = timedelta(minutes=5)
"""Between the second try of a record and the third; each pause is twice as long as the last."""
LONGEST_PAUSE = timedelta(hours=1)
"""Between two tries of a record, at most: so long it may wait after what was amiss is put right."""
MOST_COUNTED = 100_000
"""Pending records that a sweep counts: it reads their index entries, so that more would cost more
than they say. `make scale` has the figures."""
Outcome = Literal[
    "well",
    "escalated",
    "repaired",
    "ended",
    "resumed",
    "waiting",
    "not now",
    "failed",
    "unreadable",
]
"""What became of a record: nothing was amiss; others are asked now; it is repaired; its workflow
has ended; its workflow was resumed and has not read the end yet; it is its workflow's turn; it
cannot be repaired now; its repair failed by an error of its own; it cannot be read."""

NOT_READ = "its workflow was resumed and has not read the decision"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A record that a sweep has taken up.

    Attributes:
        outcome: what became of it.
        reason: why it is not repaired; None where nothing is amiss.
    """

    outcome: Outcome
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepService(Records):
    """Finds and repairs what a crash, an outage or an operator left behind.

    A workflow that is alive repairs by itself: a lost callback, a message that was not sent. The
    sweep is for the rest, and for the time in between.

    Attributes:
        callbacks: resumes workflows.
        executions: knows whether they still run.
        gauges: what is measured after each sweep. Default: how many are pending, and no more.
    """

    callbacks: CallbackClient
    executions: Executions
    gauges: Gauges | None = None

    def sweep(self, within: timedelta | None = None) -> dict[str, int]:
        """Close what is past its expiry, resume who has not read a decision; count both.

        Takes up all there is, whatever becomes of one record, as far as its time goes. What cannot
        be repaired now is postponed, each time for longer, and what cannot be read is parked: in
        the next sweep neither stands in front of others.

        Args:
            within: the time there is. Default: as long as it takes.

        Returns:
            How many were found, by metric; those that are postponed or parked count in each sweep.
        """
        began = self.clock.now()
        found = Counter(
            {
                Metrics.PENDING_PAST_EXPIRY: 0,
                Metrics.DECIDED_NOT_RESUMED: 0,
                Metrics.PASSED_OVER: 0,
            }
        )
        ends = [None if within is None else began + n * SWEEP_SHARE * within for n in (1, 2, 3)]
        postponed = list(self.store.postponed())
        self._count(found, _not_due(postponed, began))
        due = [one for one in postponed if _is_due(one, began)]
        again = (due[first : first + SWEEP_PAGE] for first in range(0, len(due), SWEEP_PAGE))
        self._take_up(found, "postponed", again, ends[0])
        lists: tuple[tuple[Attention, bool], ...] = (("pending", True), ("decided", False))
        for (attention, pending), until in zip(lists, ends[1:], strict=True):
            pages = self.store.overdue(
                attention, before=began - escalation.SWEEP_GRACE, limit=SWEEP_PAGE
            )
            new = ([Postponed(i, pending, 0, None, None) for i in ids] for ids in pages)
            self._take_up(found, attention, new, until)
        with suppress(Unavailable):  # a gauge: the next sweep reads it again
            awaiting = self.store.count_pending(most=MOST_COUNTED)
            self.meter.measure(Metrics.PENDING, awaiting, "Count")
            if self.gauges is not None:
                now, grace = self.clock.now(), escalation.SWEEP_GRACE
                measure(self.gauges, self.meter, pending=awaiting, now=now, grace=grace)
        return dict(found)

    def _take_up(
        self,
        found: Counter[str],
        listed: SweepList,
        pages: Iterable[Sequence[Postponed]],
        until: datetime | None,
    ) -> None:
        """Repair one list of records, page by page, until a time."""
        for page in pages:
            became: list[tuple[Postponed, _Seen]] = []
            counted: Counter[str] = Counter({Metrics.PASSED_OVER: 0})
            for one in page:
                counted[_metric(one)] += 0
                if until is not None and self.clock.now() >= until:
                    logger.error("time is up, and not all of %s is seen", listed)
                    counted[Metrics.PASSED_OVER] += 1
                    break
                seen = self._repair(one)
                became.append((one, seen))
                if seen.outcome in {"failed", "unreadable"}:
                    counted[Metrics.PASSED_OVER] += 1
                elif seen.outcome not in {"well", "escalated", "waiting"}:
                    counted[_metric(one)] += 1
            self._count(found, counted)
            # Counted first: a sweep that dies here counts again, not never.
            for one, seen in became:
                self._note(listed, one, seen)
            if until is not None and self.clock.now() >= until:
                return

    def _count(self, found: Counter[str], counted: Counter[str]) -> None:
        for name, count in counted.items():
            self.meter.count(name, count)
            found[name] += count

    def _repair(self, one: Postponed) -> _Seen:
        """Repair one record; one that cannot be repaired hides no other."""
        approval_id = one.approval_id
        try:
            outcome = self._close(approval_id) if one.pending else self._resume(approval_id)
        except ApprovalNotFound:  # removed since the index was written
            return _Seen("well")
        except Unavailable as error:
            logger.warning("not repaired now: %s approval_id=%s", error, approval_id)
            return _Seen("not now", " ".join([str(error), *map(str, error.details.values())]))
        except Exception as error:  # noqa: BLE001  its own, whatever it is: the next one waits
            # By its kind: the text of an error may hold what stands in the record.
            logger.warning("passed over: %s approval_id=%s", type(error).__name__, approval_id)
            if isinstance(error, UnreadableRecord):
                return _Seen("unreadable", str(error))
            return _Seen("failed", type(error).__name__)
        return _Seen(outcome, NOT_READ if outcome == "resumed" else None)

    def _note(self, listed: SweepList, one: Postponed, seen: _Seen) -> None:
        """Write down what became of a record; one that cannot be noted is met again."""
        if seen.outcome in {"well", "escalated", "repaired"}:
            return
        try:
            if seen.outcome == "ended":
                self.store.mark_resumed(one.approval_id)
                return
            until = (
                None if seen.outcome == "unreadable" else self.clock.now() - escalation.SWEEP_GRACE
            )
            if until is not None:
                until += min(SHORTEST_PAUSE * (2 ** min(one.tries, 9) - 1), LONGEST_PAUSE)
            self.store.postpone(
                one.approval_id,
                found_on=listed,
                tries=one.tries + 1,
                until=until,
                reason=seen.reason,
            )
        except Exception as error:  # noqa: BLE001  as above
            logger.warning("not noted: %s approval_id=%s", type(error).__name__, one.approval_id)

    def _close(self, approval_id: str) -> Outcome:
        """Escalate, or write the expiry that the workflow did not write and resume it."""

        def overdue(approval: Approval) -> Transition | None:
            now = self.clock.now()
            return expire(approval, now=now) or escalation.escalate(approval, now=now)

        approval, changed = self._change(approval_id, overdue)
        if not changed:
            return "waiting" if approval.pending else "well"
        if approval.pending:
            return "escalated"
        logger.warning("closed after its expiry approval_id=%s", approval_id)
        with suppress(Unavailable):  # it is on the list of the decided now
            if self._resume(approval_id) == "ended":
                return "ended"
        return "repaired"

    def _resume(self, approval_id: str) -> Outcome:
        """Resume a workflow that has not read the decision.

        A workflow that polls reads it at its next poll. One that has ended, stopped by an operator
        say, never will: that is put in the log and, once it is counted, needs no more attention.
        """
        approval = self.get(approval_id)
        if approval.pending or approval.resumed:
            return "well"
        if self.executions.check_status(approval.execution_arn) == "ended":
            logger.error("decided, but its workflow has ended approval_id=%s", approval_id)
            return "ended"
        if approval.callback_id is None:
            return "waiting"
        self.callbacks.complete(approval.callback_id)
        return "resumed"


def _not_due(postponed: Sequence[Postponed], now: datetime) -> Counter[str]:
    """What those count for that are still amiss and not taken up now."""
    counted: Counter[str] = Counter({Metrics.PASSED_OVER: 0})
    for one in postponed:
        if one.until is None:
            logger.error("parked, until hitl repair approval_id=%s", one.approval_id)
            counted[Metrics.PASSED_OVER] += 1
        elif one.reason is not None and not _is_due(one, now):
            counted[_metric(one)] += 1
    return counted


def _is_due(one: Postponed, now: datetime) -> bool:
    return one.until is not None and one.until < now - escalation.SWEEP_GRACE


def _metric(one: Postponed) -> str:
    return Metrics.PENDING_PAST_EXPIRY if one.pending else Metrics.DECIDED_NOT_RESUMED
