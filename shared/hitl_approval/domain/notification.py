"""What messages to people say: plain, short, and how to answer if there is something to answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hitl_approval.contract import MessageKind
from hitl_approval.domain.approval import Approval, Transition, with_event
from hitl_approval.domain.audit import SYSTEM
from hitl_approval.domain.command_line import command
from hitl_approval.domain.files import file_in_words
from hitl_approval.domain.masking import sent
from hitl_approval.domain.request import CONTENT, content_of
from hitl_approval.domain.standing import (
    by_rule,
    end_in_a_word,
    end_in_words,
    released_in_words,
    standing,
    why_asked,
)
from hitl_approval.domain.text import inert, listed_some, sns_subject
from hitl_approval.domain.thread import Comment
from hitl_approval.domain.values import rows_sent

MAX_CONTEXT_SHOWN = 4_000
"""Characters of context in a message: a mail is read on a phone, and the record has it whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What is said of one approval, as facts for channels that write it themselves and as text.

    Attributes:
        approval: the record.
        subject: of the text: printable ASCII, as SNS takes it.
        body: of the text.
        recipient: the one person that it is for; None for everybody who listens.
        kind: what it says.
        to_requester: whether the recipient asked for it, and is asked for nothing.
        link: the recipient's own link, which must stand in no other message.
        entry: where the recipient sees the approval once signed in; None where nobody can sign in.
        stack: what `hitl --stack` takes for the deployment; None where it takes it without.
        key: of the message's record, with the approval's id; empty for everybody.
        address: where the channel reaches the recipient.
        receipts: what that channel gave back for earlier messages about this approval to the same
            person, oldest first.
        at: when it is sent.
        comment: the question or the answer that it brings.
        thread: what was said about the request by then, oldest first, if it brings one of these.
    """

    approval: Approval
    subject: str
    body: str
    recipient: str | None = None
    kind: MessageKind = "requested"
    to_requester: bool = False
    link: str | None = None
    entry: str | None = None
    stack: str | None = None
    key: str = ""
    address: str = ""
    receipts: tuple[str, ...] = ()
    at: datetime | None = None
    comment: Comment | None = None
    thread: tuple[Comment, ...] = ()

    @property
    def approval_id(self) -> str:
        """By it and the kind repeats are recognised."""
        return self.approval.approval_id


def approval_needed(
    approval: Approval,
    *,
    recipient: str | None = None,
    link: str | None = None,
    challenge: str | None = None,
    entry: str | None = None,
    stack: str | None = None,
    kind: MessageKind = "requested",
) -> Notification:
    """Say what is asked, by whom, until when, and how to answer.

    Args:
        approval: the record.
        recipient: the one approver whom it is for. Default: everybody who listens.
        link: that approver's own link, which must stand in no other message.
        challenge: the code that the links' page asks for, which must stand in no message with one.
        entry: where who signs in sees the approval. Default: nobody can sign in.
        stack: what `--stack` takes in the commands that it names. Default: they need none.
        kind: whether the recipient is asked first, again since another approver has changed it, or
            reminded.
    """
    asks = f"{inert(approval.requester)} asks for your approval."
    begins = {"reminder": "Reminder: ", "changed": f"{_CHANGED}. "}.get(kind, "")
    rows = [
        *_content(approval),
        *rows_sent(approval),
        ("Approvers", approvers_in_words(approval)),
        *why_asked(approval, recipient),
        *([("Answers", standing(approval))] if approval.votes else []),
        ("Decide by", f"{approval.expires_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Approval", approval.approval_id),
    ]
    parts = [f"{begins}{asks}", table(rows)]
    if approval.context != "{}":
        parts.append(f"Context:\n{_context(sent(approval))}")
    if link is not None:
        parts.append(
            f"To answer, open your own link. It is only for you: do not pass it on.\n  {link}"
        )
    if challenge is not None:
        parts.append(f"Code for the page of your own link: {challenge}")
    if entry is not None:
        parts.append(f"{'To answer' if link is None else 'Or'}, sign in:\n  {entry}")
    approve = command("approve", approval.approval_id, '-m "your comment"', stack=stack)
    reject = command("reject", approval.approval_id, '-m "your reason"', stack=stack)
    parts.append(
        f"{'To answer' if link is entry is None else 'Or on the command line'}:\n"
        f"  {approve}\n  {reject}"
    )
    return Notification(
        approval=approval,
        subject=sns_subject(f"{_NEEDED[kind]}: {approval.subject}"),
        body="\n\n".join(parts) + "\n",
        recipient=recipient,
        kind=kind,
        link=link,
        entry=entry,
        stack=stack,
    )


def ended(
    approval: Approval,
    *,
    recipient: str,
    kind: MessageKind,
    to_requester: bool = False,
    entry: str | None = None,
    stack: str | None = None,
) -> Notification:
    """Say how a request has ended: there is nothing to answer any more.

    Args:
        approval: the record, which has ended.
        recipient: the one person whom it is for.
        kind: `outcome`, `expired` or `withdrawn`.
        to_requester: whether the recipient asked for it.
        entry: where who signs in sees the approval. Default: nobody can sign in.
        stack: what `--stack` takes in the commands that it names. Default: they need none.
    """
    whose = "Your request" if to_requester else f"The request of {inert(approval.requester)}"
    said = f"{whose} {end_in_words(approval)}"
    rows = [*_content(approval), *rows_sent(approval), ("Approval", approval.approval_id)]
    if approval.comments:
        rows.insert(-1, ("Comment", approval.comments))
    parts = [said if to_requester else f"{said} There is nothing for you to do.", table(rows)]
    if entry is not None:
        parts.append(f"To see it, sign in:\n  {entry}")
    parts.append(
        f"{'To see it' if entry is None else 'Or on the command line'}:\n"
        f"  {command('show', approval.approval_id, stack=stack)}"
    )
    return Notification(
        approval=approval,
        subject=sns_subject(f"{end_in_a_word(approval)}: {approval.subject}"),
        body="\n\n".join(parts) + "\n",
        recipient=recipient,
        kind=kind,
        to_requester=to_requester,
        entry=entry,
        stack=stack,
    )


def released(
    approval: Approval, *, recipient: str, entry: str | None = None, stack: str | None = None
) -> Notification:
    """Say to who was asked that nothing is asked of them any more.

    Args:
        approval: the record.
        recipient: the one person whom it is for.
        entry: where who signs in sees the approval. Default: nobody can sign in.
        stack: what `--stack` takes in the commands that its mail names. Default: they need none.
    """
    said = f"The request of {inert(approval.requester)} {released_in_words(approval)}"
    rows = [*_content(approval), ("Approval", approval.approval_id)]
    parts = [f"{said} There is nothing for you to do.", table(rows)]
    if entry is not None:
        parts.append(f"To see it, sign in:\n  {entry}")
    return Notification(
        approval=approval,
        subject=sns_subject(f"No longer yours: {approval.subject}"),
        body="\n\n".join(parts) + "\n",
        recipient=recipient,
        kind="released",
        entry=entry,
        stack=stack,
    )


_NEEDED: Mapping[MessageKind, str] = {
    "requested": "Approval needed",
    "changed": "Changed, approval needed again",
    "reminder": "Reminder, approval needed",
}
_CHANGED = "Another approver has changed the request, so that earlier answers do not count any more"


def _content(approval: Approval) -> list[tuple[str, str]]:
    rows = [(CONTENT[name].label, value) for name, value in content_of(approval).items()]
    return rows + [("File", file_in_words(file)) for file in approval.files]


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Names with their values below one another, as a message's text has them."""
    return "\n".join(f"  {label:<11}{_indented(inert(value))}" for label, value in rows)


def _indented(value: str) -> str:
    return value.replace("\n", "\n" + 13 * " ")


def approvers_in_words(approval: Approval) -> str:
    """Who may decide, how many must approve where one is not enough, and by which rule."""
    names = listed_some(approval.asked) or "anyone with access"
    needed = approval.approvals_needed
    why = [f"{needed} approvals needed" if needed != 1 else "", by_rule(approval)]
    said = ", ".join(filter(None, why))
    return f"{names} ({said})" if said else names


def _context(context: Mapping[str, Any]) -> str:
    shown = inert(json.dumps(context, indent=2, ensure_ascii=False))
    if len(shown) > MAX_CONTEXT_SHOWN:
        cut = len(shown) - MAX_CONTEXT_SHOWN
        shown = f"{shown[:MAX_CONTEXT_SHOWN]}\n... {cut} more characters on record"
    return "\n".join(f"  {row}" for row in shown.splitlines())


def note_notification_failed(
    approval: Approval, reason: str, *, now: datetime, recipient: str | None = None
) -> Transition | None:
    """Put on record that somebody could not be notified, or those who listen to the broadcast.

    A record that has ended takes no more events: None.
    """
    if not approval.pending:
        return None
    said = f"{recipient or 'everybody'}: {reason}"
    return with_event(approval, "notification_failed", SYSTEM, now, {"reason": said})
