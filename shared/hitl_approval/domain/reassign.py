"""Handing over: somebody else is asked in an approver's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import Actor, isoformat
from hitl_approval.domain.ending import check_open
from hitl_approval.domain.errors import Forbidden, InvalidRequest, RecordFull
from hitl_approval.domain.permission import check_identity, is_one_of
from hitl_approval.domain.person import may_be_one
from hitl_approval.domain.room import has_room_for_others
from hitl_approval.domain.turn import place_of


def reassign(
    approval: Approval,
    actor: Actor,
    *,
    giver: str,
    to: str,
    comments: str = "",
    now: datetime,
    operators: Sequence[str] = (),
    requester_may: bool = False,
) -> Transition:
    """Ask another person in the place of one who is asked now and has not answered.

    Args:
        approval: the record.
        actor: who hands over: the approver, an operator, or who asked where that is allowed.
        giver: whose place it is.
        to: who is asked from now on.
        comments: why.
        now: the time.
        operators: who may hand over any request, though not to themselves.
        requester_may: whether who asked may, who then chooses who decides.

    Raises:
        AlreadyDecided, ApprovalExpired: there is nothing to answer any more.
        Forbidden: this person may not hand it over.
        InvalidRequest: the one is not asked, or the other cannot be asked instead.
        RecordFull: the record holds no name more.
    """
    check_open(approval, now=now)
    held = next((n for n in approval.deciders if text.spelling(n) == text.spelling(giver)), None)
    if held is None:
        raise InvalidRequest("from", f"{text.shown(giver)} is not asked now")
    _check_may_hand_over(approval, actor, held, to, operators, requester_may=requester_may)
    if approval.answer_of(held) is not None:
        raise InvalidRequest("from", f"{text.shown(held)} has answered already")
    _check_can_be_asked(approval, to)
    place = place_of(held, approval.turn)
    kept = [each for each in approval.turn.handed_over if each[0] != place]
    given = [] if text.spelling(place) == text.spelling(to) else [(place, to)]
    turn = replace(approval.turn, handed_over=(*kept, *given))
    after = replace(approval, turn=turn)
    if not has_room_for_others(after):
        raise RecordFull("one of those who are asked")
    details = {
        "from": held,
        "to": [to],
        "released": [held],
        "comments": comments,
        "expires_at": isoformat(approval.expires_at),
        **actor.vouched,
    }
    return with_event(after, "reassigned", actor, now, details)


def _check_may_hand_over(
    approval: Approval,
    actor: Actor,
    giver: str,
    to: str,
    operators: Sequence[str],
    *,
    requester_may: bool,
) -> None:
    check_identity(approval, actor)
    if is_one_of((giver,), actor.name):
        return
    others = (*operators, *([approval.requester] if requester_may else []))
    if not is_one_of(others, actor.name):
        raise Forbidden(f"{actor.name} cannot hand this over: {giver} or an operator can")
    if may_be_one(actor.name, to):
        raise Forbidden(f"{actor.name} cannot take {giver}'s place: another person must give it")


def _check_can_be_asked(approval: Approval, to: str) -> None:
    if not approval.policy.allow_self_approval and may_be_one(to, approval.requester):
        raise InvalidRequest("to", f"{text.shown(to)} asked for this and cannot decide it")
    key = text.person_key(to)
    if key in {text.person_key(name) for name in approval.asked}:
        raise InvalidRequest("to", f"{text.shown(to)} is asked already")
    if key in approval.answered:
        raise InvalidRequest("to", f"{text.shown(to)} has answered already")
    later = approval.policy.stages[approval.turn.stage :]
    if key in {text.person_key(name) for stage in later for name in stage.approvers}:
        raise InvalidRequest("to", f"{text.shown(to)} is asked in a later stage")
