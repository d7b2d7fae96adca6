"""The two forms beside the decision: somebody else should answer, and my answer is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hitl_approval.domain import text
from hitl_approval.domain.audit import isoformat
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.permission import is_one_of
from hitl_approval.domain.turn import asked_by_now
from hitl_approval.domain.voting import may_still_answer
from hitl_approval.http import html
from hitl_approval.http.reading import Reading
from hitl_approval.http.state import Opened
from hitl_approval.usecases.decide import DecisionService

REASSIGN, RETRACT = "reassign", "retract"
"""Names of the hidden fields: each form has its own, whose value ties it to who was shown it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnForms:
    """What of the two is shown to one person.

    Attributes:
        givers: whose places they may give to somebody else; empty: no form.
        reassign: the value of that form's hidden field.
        retract: of the other's; empty where there is nothing to take back.
        released: whether they were asked and are not any more, and have not answered.
        problem: why what was sent last was not accepted, and `of` which of the two forms.
        of: its name.
    """

    givers: Sequence[str]
    reassign: str
    retract: str
    released: bool
    problem: str = ""
    of: str = ""


def sent(form: Mapping[str, str] | None) -> str:
    """Which of the two forms this is; "" of none."""
    return next((name for name in (REASSIGN, RETRACT) if name in (form or {})), "")


def forms_of(
    opened: Opened,
    reading: Reading,
    *,
    operators: Sequence[str] = (),
    requester_may: bool = False,
    refused: ApprovalError | None = None,
    form: Mapping[str, str] | None = None,
) -> TurnForms:
    """The forms that this person is shown.

    Args:
        opened: the approval, as they see it.
        reading: ties forms to them.
        operators: who may give anybody's place.
        requester_may: whether who asked may.
        refused: why what they have sent was not accepted.
        form: what they have sent.
    """
    approval, name = opened.approval, opened.actor.name
    key = text.person_key(name)
    asked = asked_by_now(approval.approvers, approval.policy, approval.turn)
    was_sent = sent(form) if refused else ""
    return TurnForms(
        givers=_givers(opened, (*operators, *([approval.requester] if requester_may else []))),
        reassign=reading.nonce_of(REASSIGN),
        retract=_retract_nonce(opened, reading),
        released=opened.state == "onlooker" and key in asked,
        problem=html.problem(refused) if refused and was_sent else "",
        of=was_sent,
    )


def take(
    service: DecisionService, opened: Opened, form: Mapping[str, str], reading: Reading
) -> None:
    """Do what one of the two forms says, as who was shown it.

    Raises:
        RefusedError: it was not shown to them like this.
        ApprovalError: it is refused; nothing was written.
    """
    approval = opened.approval
    if sent(form) == RETRACT:
        reading.check_nonce(_retract_nonce(opened, reading), form[RETRACT])
        service.retract(approval.approval_id, opened.actor)
        return
    reading.check_nonce(reading.nonce_of(REASSIGN), form[REASSIGN])
    service.reassign(
        approval.approval_id,
        opened.actor,
        giver=text.name(form.get("from") or opened.actor.name, "from"),
        to=text.name(form.get("to"), "to"),
        comments=text.comment(form.get("why", ""), "comments"),
    )


def _givers(opened: Opened, for_others: Sequence[str]) -> Sequence[str]:
    """Whose places this person may give: their own, or anybody's."""
    left = may_still_answer(opened.approval) if opened.state != "expired" else ()
    if is_one_of(for_others, opened.actor.name):
        return left
    return [name for name in left if is_one_of((name,), opened.actor.name)]


def _retract_nonce(opened: Opened, reading: Reading) -> str:
    """Of this very answer: a form from before does not take back a later one."""
    approval, vote = opened.approval, opened.vote
    if vote is None or not approval.pending or vote not in approval.votes_now:
        return ""
    return reading.nonce_of(f"{RETRACT} {isoformat(vote.at)}")
