"""Mails of the tests, as a mail client reads their bytes."""

from __future__ import annotations

import email.policy
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.notification import Notification, approval_needed, ended, released
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.sender import Sender
from hitl_approval.domain.thread import Comment
from hitl_approval.domain.thread_notification import said_in_thread
from hitl_approval.domain.voting import cast_vote
from hitl_approval.mail.letter import letter
from tests.anything import NOW, any_approval, any_request, declared

ANN = "ann@example.com"
CID = "cid@example.com"
LINK = f"https://approve.example.com/a/{'d' * 32}.{'t' * 43}"
ENTRY = "https://approve.example.com/approvals/approval-1"
SENDER = Sender(address="approvals@example.org", name="Approvals", reply_to="desk@example.org")
SOON = NOW + timedelta(minutes=1)


def asked(**fields: Any) -> Approval:
    """A request for ann and bob, with eight hours to decide."""
    values: dict[str, Any] = {
        "subject": "Pay 70,000 EUR to Nordwind Logistics",
        "requester": "rita@example.com",
        "approvers": (ANN, "bob@example.com"),
        "document_id": "invoice-2041",
        "context": {
            "amount": "70,000.00 EUR",
            "due": "2026-01-31",
            "supplier": {"name": "Nordwind Logistics", "verified": True},
            "urgent": False,
        },
    }
    approval = any_approval(request=any_request(**values | fields), timeout=timedelta(hours=8))
    return replace(approval, approval_id="approval-1")


def asking(approval: Approval, *, kind: Any = "requested", **fields: Any) -> Notification:
    """What asks ann."""
    said = approval_needed(approval, recipient=ANN, link=LINK, kind=kind)
    where: dict[str, Any] = {"address": ANN, "at": NOW}
    return replace(said, **where | fields)


def approved(approval: Approval, comment: str = "Matches the order.") -> Approval:
    """Bob has approved it."""
    voted = cast_vote(approval, declared("bob@example.com"), "approved", comment, now=SOON)
    assert voted is not None
    return voted.after


def telling(approval: Approval, kind: Any = "outcome", **fields: Any) -> Notification:
    """What says how it has ended."""
    said = ended(approval, recipient=ANN, kind=kind, to_requester=bool(fields.get("to_requester")))
    where: dict[str, Any] = {"address": ANN, "at": SOON}
    return replace(said, **where | fields)


def asking_back(approval: Approval, **fields: Any) -> Notification:
    """What brings rita bob's question."""
    return _of_thread(approval, 1, "question", link=LINK, to_requester=True, **fields)


def answering(approval: Approval, **fields: Any) -> Notification:
    """What brings bob rita's answer."""
    return _of_thread(approval, 2, "answer", link=LINK, **fields)


def _of_thread(approval: Approval, said: int, kind: Any, **fields: Any) -> Notification:
    rita, bob = "rita@example.com", "bob@example.com"
    thread = [
        Comment(2, bob, "link", SOON, "Which cost centre is this?", question=True),
        Comment(3, rita, "link", SOON, "4711, as last year.\nSee the contract.", answers=2),
    ][:said]
    to = bob if kind == "answer" else rita
    own = {name: fields.pop(name) for name in ("link", "to_requester") if name in fields}
    what = said_in_thread(approval, thread, said + 1, recipient=to, kind=kind, **own)
    where: dict[str, Any] = {"address": to, "at": SOON}
    return replace(what, **where | fields)


def releasing(approval: Approval) -> Notification:
    """What tells ann that she is not asked any more, since cid has taken her place."""
    taken = reassign(approval, declared(ANN), giver=ANN, to=CID, now=SOON).after
    return replace(released(taken, recipient=ANN), address=ANN, at=SOON)


def each_kind() -> Mapping[str, Notification]:
    """One mail of each kind, the outcome both for an approver and for who asks."""
    approval = asked()
    expired = expire(approval, now=NOW + timedelta(hours=9))
    withdrawn = cancel(approval, declared("rita@example.com"), "paid otherwise", now=SOON)
    assert expired is not None
    assert withdrawn is not None
    return {
        "requested": asking(approval),
        "changed": asking(approval, kind="changed"),
        "reminder": asking(approval, kind="reminder"),
        "released": releasing(approval),
        "question": asking_back(approval),
        "answer": answering(approval),
        "outcome": telling(approved(approval)),
        "outcome to who asks": telling(approved(approval), to_requester=True, entry=ENTRY),
        "expired": telling(expired.after, "expired"),
        "withdrawn": telling(withdrawn.after, "withdrawn"),
    }


def read(notification: Notification, sender: Sender = SENDER) -> EmailMessage:
    """The mail as a client has it."""
    made = letter(notification, sender)
    mail = message_from_bytes(made, policy=email.policy.default)
    assert not mail.defects
    return mail


def text_of(mail: EmailMessage) -> str:
    """Its text."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    """Its HTML."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())
