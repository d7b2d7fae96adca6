"""The relay function: fed by the audit table's stream, tells the event bus."""

from __future__ import annotations

from typing import Any

from hitl_approval.stream import publish_batch
from hitl_approval.wiring import publish_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Announce one batch."""
    return publish_batch(event, publish_service())
