"""The machine's own clock, and metrics through its log."""

from __future__ import annotations

import json
import random
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from hitl_approval.contract import Channel, Metrics
from hitl_approval.domain.link import SECRET_BYTES
from hitl_approval.ports.outside import Unit


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
class SystemSecrets:
    """The operating system's randomness."""

    def draw(self) -> bytes:
        """See `ports.Secrets.draw`."""
        return secrets.token_bytes(SECRET_BYTES)


@dataclass(frozen=True, slots=True)
class EmbeddedMetrics:
    """Metrics as log lines (CloudWatch embedded metric format): no call, no permission."""

    deployment: str

    def count(self, metric: str, value: int = 1, *, channel: Channel | None = None) -> None:
        """See `ports.Meter.count`."""
        by_channel: dict[str, str] = {} if channel is None else {Metrics.CHANNEL: channel}
        self._write(metric, value, "Count", by_channel)

    def measure(self, metric: str, value: float, unit: Unit) -> None:
        """See `ports.Meter.measure`."""
        self._write(metric, value, unit, {})

    def _write(self, metric: str, value: float, unit: Unit, more: Mapping[str, str]) -> None:
        dimensions = {Metrics.DEPLOYMENT: self.deployment, **more}
        line = {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": Metrics.NAMESPACE,
                        "Dimensions": [list(dimensions)],
                        "Metrics": [{"Name": metric, "Unit": unit}],
                    }
                ],
            },
            **dimensions,
            metric: value,
        }
        sys.stdout.write(json.dumps(line) + "\n")
