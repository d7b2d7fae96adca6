"""What SNS answers of a topic's subscriptions: one on a page, so that all pages must be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def page_of(subscribed: Sequence[tuple[str, str]], token: str) -> dict[str, Any]:
    """One page: of (ARN, endpoint) pairs, from a token on."""
    at = int(token)
    page = [
        {"SubscriptionArn": arn, "Endpoint": endpoint} for arn, endpoint in subscribed[at : at + 1]
    ]
    more = {"NextToken": str(at + 1)} if at + 1 < len(subscribed) else {}
    return {"Subscriptions": page, **more}
