"""The machine's own clock, and metrics through its log."""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from hitl_approval.contract import Metrics


@dataclass(frozen=True, slots=True)
class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        """See `ports.Clock.now`."""
        return datetime.now(UTC)

    def pause(self, attempt: int) -> None:
        """See `ports.Clock.pause`: full jitter, 20 ms doubling up to 1 s."""
        time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311  jitter, no secret


@dataclass(frozen=True, slots=True)
class EmbeddedMetrics:
    """Metrics as log lines (CloudWatch embedded metric format): no call, no permission."""

    def count(self, metric: str, value: int = 1) -> None:
        """See `ports.Meter.count`."""
        line = {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": Metrics.NAMESPACE,
                        "Dimensions": [[]],
                        "Metrics": [{"Name": metric, "Unit": "Count"}],
                    }
                ],
            },
            metric: value,
        }
        sys.stdout.write(json.dumps(line) + "\n")
