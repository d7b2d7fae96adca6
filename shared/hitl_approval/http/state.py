"""Who may still answer: the one decision of what an approval's page is to whoever sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hitl_approval.domain.approval import Approval, Vote
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.errors import Forbidden
from hitl_approval.domain.permission import check_identity, check_may_decide

State = Literal["open", "answered", "decided", "expired", "onlooker"]
"""Of what is shown to somebody: `answered` by them, `decided` by others or withdrawn, `expired`
when nobody decided in time; an `onlooker` may not decide."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An approval as it is shown to one person, who follows a link or has signed in.

    Attributes:
        approval: the record.
        actor: who sees it.
        state: what it is to them.
        workflow_ended: whether they have just decided what no workflow acts on any more.
        on_behalf_of: for whom they may answer it, by a delegation.
    """

    approval: Approval
    actor: Actor
    state: State
    workflow_ended: bool = False
    on_behalf_of: str | None = None

    @property
    def approver(self) -> str:
        """The name of whoever sees it."""
        return self.actor.name

    @property
    def may_answer(self) -> bool:
        """Whether a form is shown, and an answer is taken."""
        return self.state == "open"

    @property
    def vote(self) -> Vote | None:
        """What this person has answered."""
        return self.approval.vote_of(self.actor.name)


def opened(
    approval: Approval, actor: Actor, *, now: datetime, given: Delegation | None = None
) -> Opened:
    """An approval as this person sees it.

    Args:
        approval: the record.
        actor: who sees it.
        now: the time.
        given: the delegation by which they may answer it.
    """
    state = _state(approval, actor, now, given)
    place = given.giver if given and state == "open" else None
    return Opened(approval, actor, state, on_behalf_of=place)


def _state(approval: Approval, actor: Actor, now: datetime, given: Delegation | None) -> State:
    if approval.vote_of(actor.name) is not None:
        return "answered"
    if approval.status == "timeout":
        return "expired"
    if not approval.pending:
        return "decided"
    if now >= approval.expires_at:
        return "expired"
    answer = approval.answer_of(given.giver if given else actor.name)
    if answer is not None:
        return "onlooker"
    try:
        if given:
            check_identity(approval, actor)
        else:
            check_may_decide(approval, actor)
    except Forbidden:
        return "onlooker"
    return "open"
