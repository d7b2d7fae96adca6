"""The request function: what attached functions ask, check and withdraw."""

from __future__ import annotations

from typing import Any

from hitl_approval.request_function import answer
from hitl_approval.wiring import direct_requests


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one message of a function that asks."""
    return answer(event, context.invoked_function_arn, direct_requests())
