"""Who may decide, comment on or withdraw a request: letting in is exact, keeping out is wide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hitl_approval.domain import text
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import Forbidden
from hitl_approval.domain.person import may_be_one
from hitl_approval.domain.turn import asked_by_now

if TYPE_CHECKING:
    from hitl_approval.domain.approval import Approval


def check_may_decide(approval: Approval, actor: Actor) -> None:
    """Whether the policy lets this person decide.

    Raises:
        Forbidden: it does not, and why.
    """
    check_identity(approval, actor)
    if approval.rule is not None and approval.ends_by_rule:
        raise Forbidden(f"rule {approval.rule.id} of the deployment decides this: nobody is asked")
    same = may_be_one(actor.name, approval.requester)
    if same and not approval.policy.allow_self_approval:
        raise Forbidden(
            f"{actor.name} asked for this and cannot decide it: another person must, "
            "or cancel the request",
            rule="allow_self_approval",
        )
    if approval.asked and not is_one_of(approval.asked, actor.name):
        by_now = asked_by_now(approval.approvers, approval.policy, approval.turn)
        if text.person_key(actor.name) in by_now:
            others = text.listed_some(approval.asked)
            raise Forbidden(f"{actor.name} is not asked any more: {others} may answer now")
        raise Forbidden(f"{actor.name} is not an approver of this request")


def check_may_withdraw(approval: Approval, actor: Actor, operators: Sequence[str] = ()) -> None:
    """Whether this person may withdraw the request: who asked for it, or an operator.

    They are known as who decides is; the workflow that asked is the system. Whoever may decide
    can reject.

    Raises:
        Forbidden: they may not, and why.
    """
    check_identity(approval, actor)
    if actor.identity != "system" and not is_one_of((approval.requester, *operators), actor.name):
        raise Forbidden(
            f"{actor.name} did not ask for this and cannot withdraw it: {approval.requester} or an "
            "operator can, and an approver can reject it"
        )


def check_may_comment(approval: Approval, actor: Actor, operators: Sequence[str] = ()) -> None:
    """Whether this person may ask and answer about the request.

    Who may decide it may, who asked for it, and an operator.

    Raises:
        Forbidden: they may not, and why.
    """
    check_identity(approval, actor)
    if is_one_of((approval.requester, *operators), actor.name):
        return
    try:
        check_may_decide(approval, actor)
    except Forbidden:
        raise Forbidden(
            f"{actor.name} neither asked for this nor is asked to decide it, and cannot comment on "
            "it: whoever may decide it can, its requester, or an operator"
        ) from None


def is_one_of(names: Sequence[str], name: str) -> bool:
    """Whether somebody is let in: the name must be spelled the same."""
    return text.spelling(name) in {text.spelling(each) for each in names}


def check_identity(approval: Approval, actor: Actor) -> None:
    """Whether somebody vouches for who this is, where the policy demands it.

    Raises:
        Forbidden: nobody does.
    """
    if approval.policy.require_verified_identity and not actor.verified:
        raise Forbidden(
            "this request takes verified identities only: sign in, a name is not enough",
            rule="require_verified_identity",
        )
