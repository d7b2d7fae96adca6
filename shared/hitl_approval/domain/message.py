"""The message an approver receives: plain, short, and how to answer it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.request import CONTENT, content_of
from hitl_approval.domain.text import inert, sns_subject

MAX_CONTEXT_SHOWN = 4_000
"""Characters of context in a message: a mail is read on a phone, and the record has it whole."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message about one approval, with the id by which repeats are recognised.

    Attributes:
        recipient: the one approver that it is for; None for everybody who listens.
    """

    approval_id: str
    subject: str
    body: str
    recipient: str | None = None


def approval_needed(
    approval: Approval,
    *,
    recipient: str | None = None,
    link: str | None = None,
    challenge: str | None = None,
) -> Notification:
    """Tell what is asked, by whom, until when, and how to answer.

    Args:
        approval: the record.
        recipient: the one approver to tell. Default: everybody who listens.
        link: that approver's own link, which must stand in no other message.
        challenge: the code that the links' page asks for, which must stand in no message with one.
    """
    rows = [
        *((CONTENT[name].label, value) for name, value in content_of(approval).items()),
        ("Approvers", _approvers(approval)),
        ("Decide by", f"{approval.expires_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Approval", approval.approval_id),
    ]
    parts = [
        f"{inert(approval.requester)} asks for your approval.",
        "\n".join(f"  {label:<11}{inert(value)}" for label, value in rows),
    ]
    if approval.context != "{}":
        parts.append(f"Context:\n{_context(approval.context)}")
    if link is not None:
        parts.append(
            "To answer, open your own link. It works once and only for you: do not pass it on.\n"
            f"  {link}"
        )
    if challenge is not None:
        parts.append(f"Code for the page of your own link: {challenge}")
    parts.append(
        f"{'To answer' if link is None else 'Or on the command line'}:\n"
        f'  hitl approve {approval.approval_id} -m "your comment"\n'
        f'  hitl reject {approval.approval_id} -m "your reason"'
    )
    return Notification(
        approval.approval_id,
        sns_subject(f"Approval needed: {approval.subject}"),
        "\n\n".join(parts) + "\n",
        recipient,
    )


def _approvers(approval: Approval) -> str:
    names = ", ".join(approval.approvers) or "anyone with access"
    needed = approval.approvals_needed
    return names if needed == 1 else f"{names} ({needed} approvals needed)"


def _context(context: str) -> str:
    shown = inert(json.dumps(json.loads(context), indent=2, ensure_ascii=False))
    if len(shown) > MAX_CONTEXT_SHOWN:
        cut = len(shown) - MAX_CONTEXT_SHOWN
        shown = f"{shown[:MAX_CONTEXT_SHOWN]}\n... {cut} more characters on record"
    return "\n".join(f"  {row}" for row in shown.splitlines())
