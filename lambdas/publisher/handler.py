"""The publisher function: it brings the audit table's stream to the event bus and the inboxes."""

from __future__ import annotations

from typing import Any

from hitl_approval.stream import answer_batch, answer_queue, from_queue
from hitl_approval.wiring import archive_service, publish_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Publish one batch of the stream, or archive what its queue brings again."""
    if from_queue(event):
        return answer_queue(event, archive_service().accept_again)
    service = publish_service()
    return answer_batch(event, service.publish, altered=service.note_altered)
