"""How the pending requests stand, and how far a sweep has come: measured after each sweep."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from hitl_approval.contract import Metrics
from hitl_approval.ports.outside import Meter
from hitl_approval.ports.records import Attention, Gauges

OLDER = 20
"""One in so many pending requests is older than what `PendingAge` says: 5 %."""


def measure(gauges: Gauges, meter: Meter, *, pending: int, now: datetime, grace: timedelta) -> None:
    """Measure the age of pending requests and the lag of the sweep.

    Args:
        gauges: reads what is measured.
        meter: takes it.
        pending: how many requests are pending.
        now: the time.
        grace: how long after its time a record is left to its own workflow.

    Raises:
        Unavailable: nothing can be read now.
    """
    since = gauges.pending_since(pending // OLDER)
    age = now - since if since is not None else timedelta()
    meter.measure(Metrics.PENDING_AGE, age.total_seconds(), "Seconds")
    left = [
        now - grace - due
        for attention in get_args(Attention)
        if (due := gauges.attention_since(attention)) is not None
    ]
    lag = max([timedelta(), *left])
    meter.measure(Metrics.SWEEP_LAG, lag.total_seconds(), "Seconds")
