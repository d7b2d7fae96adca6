"""Who may still answer: the one decision of what an approval's page is to whoever sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hitl_approval.domain.approval import Approval, Vote
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.errors import Forbidden
from hitl_approval.domain.permission import check_identity, check_may_comment, check_may_decide
from hitl_approval.domain.text import spelling

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
        may_comment: whether they may ask, answer and comment.
    """

    approval: Approval
    actor: Actor
    state: State
    workflow_ended: bool = False
    may_comment: bool = False
    on_behalf_of: str | None = None

    def to_answer_only(self) -> Opened:
        """The same for who was asked a question: whoever they are, this link decides nothing."""
        return replace(self, state="onlooker") if self.state == "open" else self

    @property
    def is_requester(self) -> bool:
        """Whether who sees it asked for approval, and is who answers questions."""
        return spelling(self.actor.name) == spelling(self.approval.requester)

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
    approval: Approval,
    actor: Actor,
    *,
    now: datetime,
    operators: Sequence[str] = (),
    given: Delegation | None = None,
) -> Opened:
    """An approval as this person sees it.

    Args:
        approval: the record.
        actor: who sees it.
        now: the time.
        operators: who may comment on any request. Default: nobody.
        given: the delegation by which they may answer it. Default: none.
    """
    may_comment = approval.pending and now < approval.expires_at
    try:
        check_may_comment(approval, actor, operators)
    except Forbidden:
        may_comment = False
    state = _state(approval, actor, now, given)
    place = given.giver if given and state == "open" else None
    return Opened(approval, actor, state, may_comment=may_comment, on_behalf_of=place)


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
