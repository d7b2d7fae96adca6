"""The sweep function: run on a schedule, mends what was left behind."""

from __future__ import annotations

from hitl_approval.wiring import sweep_service


def handler(_: object, __: object) -> dict[str, int]:
    """Sweep once."""
    return sweep_service().sweep()
