"""The page function: what opens when an approver follows a personal link."""

from __future__ import annotations

from typing import Any

from hitl_approval.http.link_page import handle
from hitl_approval.settings import settings
from hitl_approval.wiring import decision_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return handle(
        event,
        decision_service,
        page_url=settings().page_url,
        organization=settings().organization,
    )
