"""The messenger function: sends people what follows from the audit's stream, and what is due.

SES's events bring back what did not reach its reader.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hitl_approval.adapters.ses import returned_of
from hitl_approval.contract import SES_EVENTS
from hitl_approval.stream import answer_batch
from hitl_approval.wiring import delivery_service, returned_service


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Take one batch of the stream, an event of SES's, or on a schedule what is due by now."""
    if event.get("source") == SES_EVENTS:
        returned = returned_of(event.get("detail"))
        return {"noted": returned is not None and returned_service().note(returned)}
    within = (
        None if context is None else timedelta(milliseconds=context.get_remaining_time_in_millis())
    )
    service = delivery_service()
    if "Records" in event:
        return answer_batch(event, lambda events: service.take(events, within))
    return service.deliver_due(within)
