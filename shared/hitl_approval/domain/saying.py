"""What one message to one person says, or why it is not sent any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.message import OF_THREAD, Message
from hitl_approval.domain.notification import Notification, approval_needed, ended, released
from hitl_approval.domain.thread import Comment, find_comment, open_questions
from hitl_approval.domain.thread_notification import said_in_thread


def nothing_to_say(
    message: Message, approval: Approval, thread: Sequence[Comment], *, now: datetime
) -> str | None:
    """Why a message is not sent any more; None where it is.

    Args:
        message: the message.
        approval: the record.
        thread: what was said about it, for a message that brings some of it.
        now: the time.
    """
    if not message.asks and message.kind not in OF_THREAD:
        return None
    if not approval.pending or now >= approval.expires_at:
        return "the request has ended"
    if message.asks:
        if approval.answer_of(message.recipient) is not None:
            return "has answered"
        if not message.to_audience and approval.asked and message.recipient not in approval.asked:
            return "is not asked any more"
    if message.kind in OF_THREAD and find_comment(thread, message.sequence) is None:
        return "what was said cannot be read"
    if message.kind == "question" and message.sequence not in {
        question.sequence for question in open_questions(thread)
    }:
        return "has been answered"
    return None


def brings_link(message: Message, approval: Approval) -> bool:
    """Whether a message brings its recipient a link of their own.

    An answer brings one to who has links of this request anyway, and to nobody else: a link is a
    way to decide.
    """
    if message.kind == "answer" and message.recipient not in approval.deciders:
        return False
    return message.brings_link


def what_is_said(
    message: Message,
    approval: Approval,
    thread: Sequence[Comment],
    *,
    link: str | None,
    entry: str | None,
    stack: str | None = None,
) -> Notification:
    """The facts and the text of a message, for the channel that carries it.

    Args:
        message: the message.
        approval: the record.
        thread: what was said about it, for a message that brings some of it.
        link: its recipient's own, which must stand in no other message.
        entry: where the recipient sees the approval once signed in; None where nobody can sign in.
        stack: what `--stack` takes in the commands that it names. Default: they need none.
    """
    recipient, kind = message.recipient, message.kind
    if message.asks:
        return approval_needed(
            approval, recipient=recipient, link=link, entry=entry, stack=stack, kind=kind
        )
    if kind in OF_THREAD:
        return said_in_thread(
            approval,
            thread,
            message.sequence,
            recipient=recipient,
            kind=kind,
            to_requester=message.to_requester,
            link=link,
            entry=entry,
            stack=stack,
        )
    if kind == "released":
        return released(approval, recipient=recipient, entry=entry, stack=stack)
    return ended(
        approval,
        recipient=recipient,
        kind=kind,
        to_requester=message.to_requester,
        entry=entry,
        stack=stack,
    )
