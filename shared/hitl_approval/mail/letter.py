"""A mail about an approval as bytes: one template for each kind, as text and as HTML."""

from __future__ import annotations

from datetime import tzinfo
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from hitl_approval.domain.delivery import is_mail_address
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.sender import Sender
from hitl_approval.domain.text import inert
from hitl_approval.mail.facts import facts_of

MAX_SUBJECT = 150
"""Characters of a subject: more than any list of mails shows."""
_BOUNDARY = "=_hitl-approval"
"""Between text and HTML: quoted-printable writes no such line."""
PARTS = ("subject", "preheader", "first", "button", "note")
"""What the template of a kind says, each in one paragraph."""


def letter(notification: Notification, sender: Sender, *, zone: tzinfo | None = None) -> bytes:
    """The mail as it is sent: headers, text and HTML.

    All mails about one approval are one thread: each answers a first mail that nobody was sent.

    Args:
        notification: what is said, to an address.
        sender: who it is from.
        zone: the reader's own. Default: UTC, where it is not known.
    """
    said, values = _said(notification, zone)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_line(sender.name), addr_spec=sender.address)
    mail["To"] = Address(addr_spec=notification.address)
    if (answers := _reply_to(notification, sender)) is not None:
        mail["Reply-To"] = Address(addr_spec=answers)
    mail["Subject"] = _line(said["subject"])[:MAX_SUBJECT]
    if notification.at is not None:
        mail["Date"] = notification.at
    thread = f"<{notification.approval_id}@{sender.domain}>"
    mail["References"] = thread
    mail["In-Reply-To"] = thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    templates = _templates()
    text = templates.get_template("letter.txt").render(values)
    mail.set_content(text, cte="quoted-printable")
    html = templates.get_template("letter.html").render(values)
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    mail.set_boundary(_BOUNDARY)
    return mail.as_bytes()


def _said(notification: Notification, zone: tzinfo | None) -> tuple[dict[str, str], dict[str, Any]]:
    """What the template of the kind says, and all values for text and HTML."""
    facts = facts_of(notification, zone=zone)
    template = _sentences().get_template(f"{notification.kind}.jinja")
    context = template.new_context(dict(facts))
    said = {part: " ".join("".join(template.blocks[part](context)).split()) for part in PARTS}
    return said, {**facts, "said": said}


def _reply_to(notification: Notification, sender: Sender) -> str | None:
    """Who asked, if answers can be mailed there; not to themselves."""
    requester = notification.approval.requester.strip(" ")
    if not notification.to_requester and is_mail_address(requester):
        return requester
    return sender.reply_to


def _line(text: str) -> str:
    """Text that can stand in a header, whatever it is.

    What resembles an encoded word (RFC 2047) would be decoded, into line breaks say.
    """
    return " ".join(inert(text, keep="").replace("=?", "= ?").split())


@cache
def _sentences() -> Environment:
    """Makes plain sentences: what stands in them is escaped where HTML is made of them."""
    return Environment(
        loader=PackageLoader("hitl_approval.mail"),
        autoescape=False,  # noqa: S701  never HTML by itself
        undefined=StrictUndefined,
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("hitl_approval.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["hanging"] = lambda text: text.replace("\n", "\n" + 4 * " ")
    return environment
