"""Where a page of a list ended: opaque to callers, who bring it back, and checked when they do."""

from __future__ import annotations

import base64
import json

from hitl_approval.domain import text
from hitl_approval.domain.audit import isoformat, parse_time
from hitl_approval.domain.errors import InvalidRequest


def encode_cursor(created_at: str, approval_id: str) -> str:
    """The cursor after the approval that a page ended with."""
    return base64.urlsafe_b64encode(json.dumps([created_at, approval_id]).encode()).decode()


def decode_cursor(cursor: str) -> tuple[str, str]:
    """Creation time and id of the approval that the page before ended with.

    Raises:
        InvalidRequest: nothing that `encode_cursor` has written; no store is asked about it.
    """
    try:
        created_at, approval_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        ours = isoformat(parse_time(created_at)) == created_at and text.is_approval_id(approval_id)
    except (ValueError, TypeError, OverflowError, RecursionError):
        ours = False
    if not ours:
        raise InvalidRequest("cursor", "is not one that a list gave")
    return created_at, approval_id
