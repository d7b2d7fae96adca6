"""Reminding: a pending request is sent once more to those who have not answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import Actor, isoformat, parse_time
from hitl_approval.domain.ending import check_open
from hitl_approval.domain.errors import InvalidRequest, RemindedAlready

REMIND_AGAIN = timedelta(minutes=10)
"""Shortest time between two reminders of one person that somebody has asked for."""


def remind(approval: Approval, actor: Actor, names: Sequence[str], *, now: datetime) -> Transition:
    """Send a pending request again to those who have not answered.

    Args:
        approval: the record.
        actor: who asks for it.
        names: of its approvers; empty for all who have not answered.
        now: the time.

    Raises:
        AlreadyDecided, ApprovalExpired: there is nothing to answer any more.
        InvalidRequest: one is no approver of it, has answered, or nobody is left to remind.
    """
    check_open(approval, now=now)
    deciders = {text.spelling(name): name for name in approval.deciders}
    for name in names:
        if text.spelling(name) not in deciders:
            raise InvalidRequest("to", f"{text.shown(name)} is not an approver of this request")
        if approval.answer_of(name) is not None:
            raise InvalidRequest("to", f"{text.shown(name)} has answered already")
    to = [deciders[text.spelling(name)] for name in names] or [
        name for name in deciders.values() if approval.answer_of(name) is None
    ]
    if not to:
        raise InvalidRequest("to", "names nobody: this request has no approvers left to remind")
    return with_event(approval, "reminded", actor, now, {"to": to, **actor.vouched})


def check_not_too_soon(
    transition: Transition, trail: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Whether these people may be reminded again.

    Args:
        transition: what `remind` has made.
        trail: the audit events of the approval so far.
        now: the time.

    Raises:
        RemindedAlready: one of them was reminded in the last `REMIND_AGAIN`.
    """
    to = {text.person_key(name) for name in transition.event.details["to"]}
    for event in trail:
        if event.get("event") != "reminded" or now - parse_time(event["at"]) >= REMIND_AGAIN:
            continue
        for name in event["details"]["to"]:
            if text.person_key(name) in to:
                again = isoformat(parse_time(event["at"]) + REMIND_AGAIN)
                raise RemindedAlready(
                    f"{name} was reminded at {event['at']}: again possible from {again}",
                    recipient=name,
                    again_at=again,
                )
