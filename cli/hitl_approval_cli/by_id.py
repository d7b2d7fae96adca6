"""Actions about one approval, whose id may be given by its first characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeVar

from hitl_approval.domain.approval import STATUSES
from hitl_approval_cli.deployment import PAGE, Deployment
from hitl_approval_cli.errors import CliError

T = TypeVar("T")

MAX_PENDING = 2_000
"""Pending requests that are looked through. Ours: 20 calls, a few seconds."""
MAX_LISTED = 5
"""Ids that an ambiguous prefix shows."""
_PREFIX = re.compile(r"[0-9a-f]{6,31}")


def ask_about(deployment: Deployment, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Send an action about `payload["approval_id"]`, see `with_id`."""
    return with_id(
        deployment,
        payload["approval_id"],
        lambda approval_id: deployment.ask({**payload, "approval_id": approval_id}),
    )


def with_id(deployment: Deployment, given: str, act: Callable[[str], T]) -> T:
    """Act on the approval with this id or, if there is none, on the one that begins like this.

    Looked through are all pending requests and the last 100 of each other status.

    Raises:
        CliError: nothing has this id, or several begin like this.
    """
    try:
        return act(given)
    except CliError as error:
        if error.code != "APPROVAL_NOT_FOUND" or not _PREFIX.fullmatch(given):
            raise
        found = _begin_with(deployment, given)
        if not found:
            raise
    if len(found) > 1:
        ids = ", ".join(found[:MAX_LISTED]) + (", ..." if len(found) > MAX_LISTED else "")
        msg = f"{given} begins {len(found)} ids, give more of it: {ids}"
        raise CliError(msg, code="AMBIGUOUS_ID", details={"approval_ids": found[:MAX_LISTED]})
    return act(found[0])


def _begin_with(deployment: Deployment, prefix: str) -> list[str]:
    found: list[str] = []
    for status in STATUSES:
        pages = deployment.pages(status)
        for page in islice(pages, MAX_PENDING // PAGE if status == "pending" else 1):
            ids = (item["approval_id"] for item in page["approvals"])
            found += [approval_id for approval_id in ids if approval_id.startswith(prefix)]
        if status == "pending" and page["cursor"] is not None:
            msg = f"more than {MAX_PENDING} requests are pending: give the whole id, not {prefix}"
            raise CliError(msg, code="AMBIGUOUS_ID")
    return sorted(set(found))
