"""The publisher function: it brings the audit table's stream to the event bus and the inboxes."""

from __future__ import annotations

from typing import Any

from hitl_approval.stream import answer_batch
from hitl_approval.wiring import publish_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Publish one batch."""
    service = publish_service()
    return answer_batch(event, service.publish, altered=service.note_altered)
