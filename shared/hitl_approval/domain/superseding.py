"""A request that replaces another: the other ends as withdrawn, and points to it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import SYSTEM
from hitl_approval.domain.ending import end
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.standing import how_it_ended

_FIELD = "supersedes"
_FUNCTION = re.compile(r"(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+):[^:]+/durable-execution/")
"""The function of an execution, without its version (Lambda API reference, ARN of an execution)."""


def supersede(replaced: Approval | None, by: Approval, *, now: datetime) -> Transition:
    """End the request that a new one replaces, to be committed together with the new one.

    Args:
        replaced: the record that the new request names; None if there is none.
        by: the new record.
        now: the time.

    Raises:
        InvalidRequest: there is none, another requester or another function has asked, or it has
            ended: a decision that has come meanwhile is never lost.
    """
    if replaced is None:
        raise InvalidRequest(_FIELD, f"names {text.shown(by.supersedes)}, which is no approval")
    if text.spelling(replaced.requester) != text.spelling(by.requester):
        rule = f"names a request of {text.cut(replaced.requester)}, who alone replaces it"
        raise InvalidRequest(_FIELD, rule)
    if _function_of(replaced) != _function_of(by):
        raise InvalidRequest(_FIELD, "names a request of another function, which alone replaces it")
    if not replaced.pending or now >= replaced.expires_at:
        ended = "its time to decide is over" if replaced.pending else _ended(replaced)
        rule = f"names a request that has ended ({ended}): leave it out to ask anew"
        raise InvalidRequest(_FIELD, rule)
    comments = f"replaced by {by.approval_id}"
    details = {"comments": comments, "superseded_by": by.approval_id}
    named = replace(replaced, superseded_by=by.approval_id)
    return end(named, "cancelled", SYSTEM, comments, now=now, details=details)


def _ended(approval: Approval) -> str:
    said = how_it_ended(approval)
    return text.cut(f"{said[:1].lower()}{said[1:]}")


def _function_of(approval: Approval) -> str:
    """The function that has asked; empty where its execution does not say, on a local runner."""
    found = _FUNCTION.match(approval.execution_arn)
    return found[1] if found else ""
