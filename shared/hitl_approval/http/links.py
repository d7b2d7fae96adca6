"""What a personal link opens, and what may be done with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from hitl_approval.domain.approval import Approval, Decision, Vote
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import AlreadyDecided, ApprovalError, ApprovalExpired
from hitl_approval.domain.link import PersonalLink, approval_of, find_link
from hitl_approval.usecases.decide import DecisionService

State = Literal["open", "answered", "superseded", "decided", "expired", "onlooker"]
"""Of what is shown to somebody: `answered` by them, `superseded` by a newer link to them, `decided`
by others or withdrawn, `expired` when nobody decided in time; an `onlooker` may not decide."""


class UnknownLink(ApprovalError):  # noqa: N818  reads as what happened
    """No link: altered, cut short, another request's, or never sent. One answer for all of them."""

    code = "LINK_UNKNOWN"
    status = 404

    def __init__(self) -> None:
        super().__init__("this link does not open anything")


@dataclass(frozen=True, slots=True)
class Opened:
    """What is shown to an approver who follows a link, or to somebody who has signed in."""

    approval: Approval
    approver: str
    state: State

    @property
    def vote(self) -> Vote | None:
        """What its owner has answered."""
        return self.approval.vote_of(self.approver)


def open_link(service: DecisionService, token: str) -> Opened:
    """Look; nothing changes however often it is done.

    Raises:
        UnknownLink: the token opens nothing.
    """
    approval_id = approval_of(token)
    approval = service.store.get(approval_id) if approval_id else None
    link = find_link(approval.links, token) if approval else None
    if approval is None or link is None:
        raise UnknownLink
    return Opened(approval, link.approver, _state(approval, link, service))


def answer_by_link(
    service: DecisionService, token: str, decision: Decision, comments: str, *, content_digest: str
) -> Opened:
    """Vote as the link's owner, if the link is still open.

    Returns:
        What the link shows then: `answered` when it counted, else why it did not.

    Raises:
        UnknownLink: the token opens nothing.
        ApprovalError: the policy refuses this vote.
    """
    opened = open_link(service, token)
    if opened.state != "open":
        return opened
    with suppress(AlreadyDecided, ApprovalExpired):  # somebody else was quicker: show who
        service.decide(
            opened.approval.approval_id,
            Actor(opened.approver, "link"),
            decision,
            comments,
            content_digest=content_digest,
        )
    return open_link(service, token)


def _state(approval: Approval, link: PersonalLink, service: DecisionService) -> State:
    if approval.vote_of(link.approver) is not None:
        return "answered"
    if approval.status == "timeout":
        return "expired"
    if not approval.pending:
        return "decided"
    if service.clock.now() >= approval.expires_at:
        return "expired"
    newest = [known for known in approval.links if known.approver == link.approver][-1]
    return "open" if newest == link else "superseded"
