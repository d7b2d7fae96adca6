"""Standing in: for some days another person may answer what somebody is asked.

Nothing of a request changes by it: who may stand in is found when they answer, and then stands in
the vote and in its audit event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, cast, get_args

from hitl_approval.domain import text
from hitl_approval.domain.audit import Actor, Identity, isoformat, on_record, parse_time
from hitl_approval.domain.errors import Forbidden, InvalidRequest
from hitl_approval.domain.permission import is_one_of
from hitl_approval.domain.person import may_be_one

if TYPE_CHECKING:
    from hitl_approval.domain.approval import Approval

LONGEST = timedelta(days=366)
"""Longest delegation: a year's leave. Who is away for longer is replaced among the approvers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """One person answers for another, from a time until before another.

    Attributes:
        giver: whose requests they are; each person gives one delegation at a time.
        to: who may answer them.
        starts_at: from then on, UTC.
        until: and then not any more.
        given_by: who has said so: the giver, or an operator.
        identity: how we know.
        at: when they did.
    """

    giver: str
    to: str
    starts_at: datetime
    until: datetime
    given_by: str
    identity: Identity
    at: datetime

    def is_active(self, now: datetime) -> bool:
        """Whether it counts at that time."""
        return self.starts_at <= now < self.until

    def to_dict(self) -> dict[str, str]:
        """What it says, as JSON values; whose it is stands beside it."""
        return {
            "to": self.to,
            "from": isoformat(self.starts_at),
            "until": isoformat(self.until),
            "given_by": self.given_by,
            "identity": self.identity,
            "at": isoformat(self.at),
        }

    @classmethod
    def from_dict(cls, giver: str, values: Any) -> Self | None:
        """Read back what `to_dict` wrote; anything else is no delegation."""
        if not isinstance(values, Mapping):
            return None
        try:
            found = {name: values[name] for name in _FIELDS}
            if not all(isinstance(value, str) for value in found.values()):
                return None
            starts_at, until, at = (parse_time(found[name]) for name in ("from", "until", "at"))
        except (KeyError, ValueError):
            return None
        aware = all(moment.tzinfo is not None for moment in (starts_at, until, at))
        if not aware or found["identity"] not in get_args(Identity):
            return None
        return cls(
            giver=giver,
            to=found["to"],
            starts_at=starts_at,
            until=until,
            given_by=found["given_by"],
            identity=cast(Identity, found["identity"]),
            at=at,
        )


_FIELDS = ("to", "from", "until", "given_by", "identity", "at")


def delegate(
    actor: Actor,
    *,
    giver: str,
    to: str,
    starts_at: datetime | None,
    until: datetime,
    now: datetime,
    operators: Sequence[str] = (),
) -> Delegation:
    """Let another person answer what somebody is asked.

    Args:
        actor: who says so: the giver, or an operator.
        giver: whose requests they are.
        to: who may answer them.
        starts_at: from then on. Default: now.
        until: and then not any more.
        now: the time.
        operators: who may say so for others, though not to answer in their place themselves.

    Raises:
        Forbidden: this person may not say so.
        InvalidRequest: it names one person twice, or times that make none.
    """
    check_may_delegate(actor, giver, operators)
    starts_at = on_record(now if starts_at is None else starts_at)
    until = on_record(until)
    if may_be_one(giver, to):
        raise InvalidRequest("to", f"must be another person than {text.shown(giver)}")
    if not is_one_of((giver,), actor.name) and may_be_one(actor.name, to):
        raise Forbidden(f"{actor.name} cannot answer for {giver} by their own word")
    if until <= max(starts_at, now):
        raise InvalidRequest("until", "must be later than from, and than now")
    if until - max(starts_at, now) > LONGEST:
        raise InvalidRequest("until", f"must be at most {LONGEST.days} days later than from")
    return Delegation(
        giver=giver,
        to=to,
        starts_at=starts_at,
        until=until,
        given_by=actor.name,
        identity=actor.identity,
        at=on_record(now),
    )


def check_may_delegate(actor: Actor, giver: str, operators: Sequence[str] = ()) -> None:
    """Whether this person may say who answers for another.

    Raises:
        Forbidden: only the giver and operators may.
    """
    if not is_one_of((giver, *operators), actor.name):
        raise Forbidden(f"{actor.name} cannot say who answers for {giver}: they or an operator can")


def stand_in(
    approval: Approval, actor: Actor, delegations: Sequence[Delegation], *, now: datetime
) -> Delegation | None:
    """By which delegation somebody answers who is not asked; None if by none.

    Who asked never stands in and nobody stands in for them, even where self-approval is allowed.
    Nobody answers what a rule decides.
    Who is asked themselves, now or in a later stage, answers there, for themselves. Where verified
    identities are required, so they are of who has given the delegation.

    Args:
        approval: the record.
        actor: who wants to answer.
        delegations: those that are known.
        now: the time.

    Returns:
        The delegation, its giver spelled as they were asked: of those not answered for, the first
        who was.
    """
    later = approval.policy.stages[approval.turn.stage :]
    named = (*approval.asked, *(name for stage in later for name in stage.approvers))
    in_person = {text.person_key(name) for name in named}
    if may_be_one(actor.name, approval.requester) or text.person_key(actor.name) in in_person:
        return None
    if approval.ends_by_rule:
        return None
    given = {
        text.spelling(one.giver): one
        for one in delegations
        if one.is_active(now)
        and text.spelling(one.to) == text.spelling(actor.name)
        and (one.identity != "declared" or not approval.policy.require_verified_identity)
    }
    found = [
        replace(given[text.spelling(name)], giver=name)
        for name in approval.asked
        if text.spelling(name) in given and not may_be_one(name, approval.requester)
    ]
    answered = approval.answered
    found.sort(key=lambda one: text.person_key(one.giver) in answered)
    return next(iter(found), None)
