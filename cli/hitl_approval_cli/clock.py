"""The clock: the one place where the command reads it or waits, but for its local cloud."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, UTC."""
    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Wait before the next check."""
    time.sleep(seconds)
