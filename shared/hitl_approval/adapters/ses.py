"""The notifier on SES, and what SES says later of the mails that it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, error_code, unavailable
from hitl_approval.domain.errors import Unavailable, Undeliverable
from hitl_approval.domain.notification import Notification
from hitl_approval.domain.returned import Returned
from hitl_approval.domain.sender import Sender
from hitl_approval.domain.text import is_approval_id
from hitl_approval.mail.letter import letter

APPROVAL_TAG: Final = "approval_id"
"""Of a mail: the approval that it is about, which SES repeats when it says what became of it."""

_NOT_NOW: Final[Mapping[str, str]] = {
    "MessageRejected": "SES rejected the mail: the sender is not verified there, or, while the "
    "account is in SES's sandbox, the recipient is not",
    "MailFromDomainNotVerifiedException": "the sender's MAIL FROM domain is not verified in SES",
    "SendingPausedException": "sending is paused in SES",
    "AccountSuspendedException": "SES has suspended sending for this account",
    "LimitExceededException": "the account has sent as many mails as SES lets it",
    "NotFoundException": "SES does not know the configuration set, or the sender",
    "AccessDeniedException": "the messenger may not send as this sender",
}
"""What somebody can put right, after which the same mail is taken (SES API v2 reference)."""
_NEVER: Final[Mapping[str, str]] = {
    "BadRequestException": "SES does not take the address or the mail",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SesNotifier:
    """Sends mails, each to one person.

    Attributes:
        client: an SES client (API v2) that never tries again by itself.
        sender: who the mails are from.
    """

    client: Any
    sender: Sender

    def publish(self, notification: Notification) -> str:
        """See `ports.Notifier.publish`; the receipt is SES's id of the mail."""
        if notification.recipient is None or not notification.address:
            msg = "a mail is for one person, at an address"
            raise RuntimeError(msg)
        options = {}
        if self.sender.configuration_set is not None:
            options["ConfigurationSetName"] = self.sender.configuration_set
        try:
            answer = self.client.send_email(
                FromEmailAddress=self.sender.address,
                Destination={"ToAddresses": [notification.address]},
                Content={"Raw": {"Data": letter(notification, self.sender)}},
                EmailTags=[{"Name": APPROVAL_TAG, "Value": notification.approval_id}],
                **options,
            )
        except CALL_ERRORS as error:
            code = error_code(error) if isinstance(error, ClientError) else ""
            if code in _NEVER:
                raise Undeliverable(_NEVER[code]) from error
            if code in _NOT_NOW:
                raise Unavailable(_NOT_NOW[code]) from error
            raise unavailable("SES", error) from error
        return str(answer["MessageId"])


def returned_of(detail: Any) -> Returned | None:
    """What an event of SES's says of a mail of ours; None where it is of no such mail.

    Args:
        detail: of the event, as EventBridge brings it.
    """
    try:
        mail, said = detail["mail"], _WHAT[detail["eventType"]](detail)
        [approval_id] = mail["tags"][APPROVAL_TAG]
        receipt = mail["messageId"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if not is_approval_id(approval_id) or not isinstance(receipt, str):
        return None
    arrived, reason = said
    return Returned(approval_id=approval_id, receipt=receipt, reason=reason, arrived=arrived)


_BOUNCES: Final[Mapping[tuple[str, str], str]] = {
    ("Permanent", "NoEmail"): "there is no such mailbox",
    ("Permanent", "Suppressed"): "the address is on SES's suppression list",
    ("Permanent", "OnAccountSuppressionList"): "the address is on SES's suppression list",
    ("Transient", "MailboxFull"): "the mailbox is full",
    ("Transient", "MessageTooLarge"): "the mail server finds the mail too large",
    ("Transient", "ContentRejected"): "the mail server rejects the mail's content",
}
"""Kinds and their parts (SES developer guide, "Event data that SES publishes"); no text of a mail
server's is repeated."""
_BOUNCE: Final[Mapping[str, str]] = {
    "Permanent": "the mail server rejected the mail for good",
    "Transient": "the mail server did not take the mail for now, or answers automatically",
}


def _bounce(detail: Mapping[str, Any]) -> tuple[bool, str]:
    bounce = detail["bounce"]
    kind, part = str(bounce.get("bounceType")), str(bounce.get("bounceSubType"))
    general = _BOUNCE.get(kind, "the mail server did not take the mail")
    return kind == "Transient", _BOUNCES.get((kind, part), general)


def _complaint(_: Mapping[str, Any]) -> tuple[bool, str]:
    return True, "the recipient says that the mail is unwanted"


def _reject(_: Mapping[str, Any]) -> tuple[bool, str]:
    return False, "SES found the mail harmful and did not send it"


_WHAT: Final = {"Bounce": _bounce, "Complaint": _complaint, "Reject": _reject}
"""Whether the mail may have arrived all the same, and what is said of it, by the event's type."""
