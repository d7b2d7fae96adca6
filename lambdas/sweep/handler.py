"""The sweep function: it runs on a schedule and repairs what was left behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hitl_approval.wiring import sweep_service


def handler(_: object, context: Any) -> dict[str, int]:
    """Sweep once, within the time that Lambda gives."""
    within = (
        None if context is None else timedelta(milliseconds=context.get_remaining_time_in_millis())
    )
    return sweep_service().sweep(within)
