"""Starts the packaged workflow for who asks by MCP, and answers once the request is on record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from hitl_approval.domain import text
from hitl_approval.domain.errors import ApprovalNotFound, InvalidRequest, Unavailable
from hitl_approval.domain.start import parse_document
from hitl_approval.mcp.caller import Caller

READS: Final = 24
"""Reads of a record that the workflow is about to write. With pauses of at most a second between
them they take less than the 30 s that an HTTP API waits for its function."""


def ask(caller: Caller, given: Mapping[str, Any], key: str | None) -> Mapping[str, Any]:
    """Ask as this caller, and wait until the request is on record.

    Args:
        caller: who asks, whatever else is given.
        given: the request's fields, as the event of the packaged workflow has them.
        key: asks once, however often it is sent. Default: each call asks anew.

    Returns:
        The record's view.

    Raises:
        ApprovalError: nobody was asked, or it is not known whether somebody was.
    """
    event = {**given, "requester": caller.name}
    parse_document(event)
    started = caller.start(event, None if key is None else execution_name(caller.name, key))
    for attempt in range(1, READS + 1):
        refusal = caller.refusal(started)  # before the record is read: what has ended has written
        try:
            return own(caller, started.approval_id)
        except ApprovalNotFound:
            if refusal is not None:
                raise refusal from None
        caller.pause(attempt)
    raise Unavailable(
        f"the request is not on record yet: get_approval {started.approval_id} says when it is"
    )


def own(caller: Caller, approval_id: Any) -> Mapping[str, Any]:
    """The view of what this caller has asked.

    Raises:
        ApprovalNotFound: there is no such request, or somebody else's.
    """
    if not text.is_approval_id(approval_id):
        raise InvalidRequest("approval_id", "must be 1 to 64 letters, digits, - or _")
    record = caller.act("get", approval_id)
    if text.spelling(str(record["requester"])) != text.spelling(caller.name):
        raise ApprovalNotFound(approval_id)
    return record


def withdraw(caller: Caller, approval_id: Any, comments: str = "") -> Mapping[str, Any]:
    """Withdraw what this caller has asked.

    Raises:
        ApprovalError: it is not theirs, or has ended otherwise.
    """
    record = own(caller, approval_id)
    return caller.act("cancel", str(record["approval_id"]), comments)


def execution_name(name: str, key: str) -> str:
    """The name of the execution that asks for this person under this key."""
    return f"mcp-{hashlib.sha256(f'{text.spelling(name)}#{key}'.encode()).hexdigest()[:48]}"
