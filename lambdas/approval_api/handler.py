"""The approval function: people's decisions and everyone's questions."""

from __future__ import annotations

from typing import Any

from hitl_approval.http.envelope import handle
from hitl_approval.http.identity import SignIn
from hitl_approval.settings import settings
from hitl_approval.wiring import decision_service


def handler(event: Any, _: object) -> dict[str, Any]:
    """Answer one event."""
    return handle(
        event,
        decision_service,
        trust_authorizer=settings().trust_authorizer,
        sign_in=SignIn(settings().sign_in_claim, settings().personal_sessions),
    )
