"""The function for signed-in people: their inbox, each approval, and the JSON API."""

from __future__ import annotations

from typing import Any

from hitl_approval.http.identity import SignIn
from hitl_approval.http.signed_in import handle
from hitl_approval.settings import settings
from hitl_approval.wiring import decision_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Answer one request of the HTTP API, which has signed in who asks."""
    return handle(
        event,
        decision_service,
        sign_in=SignIn(settings().sign_in_claim, settings().personal_sessions),
        page_url=settings().page_url,
        organization=settings().organization,
    )
