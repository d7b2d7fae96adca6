"""Counts a time to decide that is given in business hours, once, in a durable step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from hitl_approval.domain.business_hours import BusinessHours, Counted
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.durable.retries import CREATE_ATTEMPTS

Step = Callable[[str, Callable[[], Any], int], Any]
"""Takes a step's name, what it does and how often it is tried; returns its result."""


def counted_in_a_step(
    request: ApprovalRequest, step: Step, now: Callable[[], datetime]
) -> Counted | None:
    """The time to decide as the first run has counted it: a replay counts nothing again.

    Args:
        request: what is asked; without business hours there is no step.
        step: runs one.
        now: the time, asked for within the step.

    Raises:
        InvalidRequest: the place is never open for so long, or the request has stages, which open
            at a time that nobody knows yet.
    """
    hours = request.timeout
    if not isinstance(hours, BusinessHours):
        return None
    if request.stages:
        rule = "in business hours is no stage's: give each stage a timeout of its own"
        raise InvalidRequest("timeout", rule)
    found = step("business-hours", lambda: _count(hours, now()), CREATE_ATTEMPTS)
    if "refused" in found:
        raise InvalidRequest("timeout", found["refused"])
    return Counted.from_dict(found)


def _count(hours: BusinessHours, now: datetime) -> dict[str, Any]:
    try:
        return Counted.of(hours, now).to_dict()
    except ValueError as error:
        return {"refused": str(error)}
