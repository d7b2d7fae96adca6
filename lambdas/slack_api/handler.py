"""The Slack function: what people click and send in messages there."""

from __future__ import annotations

from typing import Any

from hitl_approval.http.slack import handle
from hitl_approval.wiring import decision_service, workspace


def handler(event: Any, _: object) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    return handle(event, decision_service, workspace)
