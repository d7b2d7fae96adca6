"""The relay function: fed by the audit table's stream, tells the event bus."""

from __future__ import annotations

from typing import Any

from hitl_approval.relay import relay
from hitl_approval.wiring import relay_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Announce one batch."""
    return relay(event, relay_service())
