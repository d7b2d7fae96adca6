"""Pages of the approval function's lists, and filters that no index has a key for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.cursor import encode_cursor
from hitl_approval.domain.text import person
from hitl_approval_cli.deployment import Deployment

Item = Mapping[str, Any]

MAX_PAGES = 10
"""Pages of 100 that one filtered page looks through. Ours: a second or two."""
_FULL = 100


def read_page(
    deployment: Deployment,
    *,
    status: str,
    limit: int,
    cursor: str | None = None,
    since: datetime | None = None,
    wanted: Callable[[Item], bool] | None = None,
) -> dict[str, Any]:
    """One page, newest first; its cursor leads on to whatever has not been looked at."""
    asked: dict[str, Any] = {"action": "list", "status": status, "limit": limit}
    if since is not None:
        asked["since"] = isoformat(since)
    if cursor is not None:
        asked["cursor"] = cursor
    if wanted is None:
        return deployment.ask(asked)
    asked["limit"] = _FULL
    found: list[Item] = []
    for _ in range(MAX_PAGES):
        page = deployment.ask(asked)
        for item in page["approvals"]:
            if wanted(item):
                found.append(item)
            if len(found) == limit:
                last = item is page["approvals"][-1] and not page["cursor"]
                after = None if last else encode_cursor(item["created_at"], item["approval_id"])
                return {"approvals": found, "cursor": after}
        asked["cursor"] = page["cursor"]
        if not page["cursor"]:
            break
    return {"approvals": found, "cursor": asked["cursor"]}


def may_decide(name: str) -> Callable[[Item], bool]:
    """Whether this person may decide a request, as far as a list tells: not who has asked it."""
    key = person(name)

    def wanted(item: Item) -> bool:
        named = [person(approver) for approver in item["approvers"]]
        return person(item["requester"]) != key and (not named or key in named)

    return wanted


def asked_by(name: str) -> Callable[[Item], bool]:
    """Whether this person has asked."""
    return lambda item: person(item["requester"]) == person(name)
