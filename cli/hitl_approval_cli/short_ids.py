"""Actions about one approval, or several, whose ids may be given by their first characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import typer

from hitl_approval.domain.approval import STATUSES
from hitl_approval.domain.errors import ApprovalNotFound
from hitl_approval.domain.text import is_approval_id, shown
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, Exit, show_error, usage

T = TypeVar("T")

AMBIGUOUS_ID = "AMBIGUOUS_ID"
"""Code of the error where several ids begin like what was given."""
MAX_LISTED = 5
"""Ids that an ambiguous prefix shows."""
_PREFIX = re.compile(r"[0-9a-f]{6,31}")
_TOO_SHORT = re.compile(r"[0-9a-f]{1,5}")


def each_of(ids: Sequence[str], act: Callable[[str], None], *, as_json: bool) -> None:
    """Act on each; one that fails stops no other, and shows in the exit status."""
    failed = False
    for approval_id in ids:
        try:
            act(approval_id)
        except CliError as error:
            if len(ids) == 1:
                raise
            failed = True
            show_error(error, as_json=as_json, about=approval_id)
    if failed:
        raise typer.Exit(Exit.FAILED)


def call_about(deployment: Deployment, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Send an action about `payload["approval_id"]`, see `with_id`."""
    return with_id(
        deployment,
        payload["approval_id"],
        lambda approval_id: deployment.call({**payload, "approval_id": approval_id}),
    )


def with_id(deployment: Deployment, given: str, act: Callable[[str], T]) -> T:
    """Act on the approval with this id or, if there is none, on the one that begins like this.

    Searched are all pending requests and the last 1,000 of each other status.

    Raises:
        CliError: nothing has this id, or several begin like this.
    """
    if not is_approval_id(given):
        raise usage(f"ID: must be 1 to 64 letters, digits, - or _, got {shown(given)}")
    try:
        return act(given)
    except CliError as error:
        if error.code != ApprovalNotFound.code:
            raise
        if _TOO_SHORT.fullmatch(given):
            msg = f"no approval has the id {given}: give at least 6 of its first characters"
            raise CliError(msg, code=error.code, details=error.details) from None
        if not _PREFIX.fullmatch(given):
            raise
        found = _begin_with(deployment, given)
        if not found:
            msg = f"no approval has the id {given} or one that begins so"
            raise CliError(msg, code=error.code, details=error.details) from None
    return act(_the_one(given, found))


def whole_id(deployment: Deployment, given: str, *, gone: bool = False) -> str:
    """The whole id; one that is whole already costs no call.

    Args:
        deployment: whose approval it is.
        given: the id, or its first characters.
        gone: whether it may be the whole id of an approval whose record has gone.

    Raises:
        CliError: as `with_id` raises it.
    """
    if not _PREFIX.fullmatch(given) and not _TOO_SHORT.fullmatch(given):
        return given
    if gone:
        # Searched and not read: what cannot be read is what is to be verified, perhaps.
        found = _begin_with(deployment, given) if _PREFIX.fullmatch(given) else []
        return _the_one(given, found) if found else given
    return str(call_about(deployment, {"action": "get", "approval_id": given})["approval_id"])


def _the_one(given: str, found: list[str]) -> str:
    if len(found) > 1:
        ids = ", ".join(found[:MAX_LISTED]) + (", ..." if len(found) > MAX_LISTED else "")
        msg = f"{given} begins {len(found)} ids, give more of it: {ids}"
        raise CliError(msg, code=AMBIGUOUS_ID, details={"approval_ids": found[:MAX_LISTED]})
    return found[0]


def _begin_with(deployment: Deployment, prefix: str) -> list[str]:
    found: set[str] = set()
    for status in STATUSES:
        pages = deployment.pages(status, id_prefix=prefix)
        for page in pages if status == "pending" else islice(pages, 1):
            found.update(item["approval_id"] for item in page["approvals"])
    return sorted(found)
