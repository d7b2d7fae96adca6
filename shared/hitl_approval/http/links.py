"""What a personal link opens, and what may be done with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from hitl_approval.domain.approval import Decision
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import AlreadyDecided, ApprovalExpired
from hitl_approval.domain.link import approval_of
from hitl_approval.domain.values import NOTHING, Values
from hitl_approval.http.errors import UnknownLink
from hitl_approval.http.state import Opened
from hitl_approval.http.state import opened as opened_by
from hitl_approval.usecases.decide import DecisionService


def open_link(service: DecisionService, token: str) -> Opened:
    """Open a link; nothing changes however often it is done.

    Raises:
        UnknownLink: the token opens nothing.
    """
    approval_id = approval_of(token)
    message = service.message_of(approval_id, token) if approval_id else None
    approval = service.store.get(approval_id) if approval_id and message else None
    if approval is None or message is None:
        raise UnknownLink
    found = opened_by(
        approval,
        Actor(message.recipient, "link"),
        now=service.clock.now(),
        operators=service.operators,
    )
    return found.to_answer_only() if message.link_only_answers else found


def answer_by_link(
    service: DecisionService,
    token: str,
    decision: Decision,
    comments: str,
    *,
    content_digest: str,
    values: Values = NOTHING,
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
    ended = False
    with suppress(AlreadyDecided, ApprovalExpired):  # somebody else was quicker: show who
        answer = service.decide(
            opened.approval.approval_id,
            opened.actor,
            decision,
            comments,
            content_digest=content_digest,
            values=values,
        )
        ended = answer.workflow == "ended"
    return replace(open_link(service, token), workflow_ended=ended)
