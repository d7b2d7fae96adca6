"""Whether SES sends mails of a deployment's sender now; `hitl doctor` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import error_code
from hitl_approval_cli.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Problem:
    """Why mails are refused, and what to do."""

    found: str
    fix: str


def problems_of(deployment: Deployment, sender: str) -> Iterator[Problem]:
    """What keeps SES from sending mails, the worst first.

    Args:
        deployment: in whose account and region SES is asked.
        sender: the address that mails are from.
    """
    ses = deployment.client("sesv2")
    if not _is_verified(ses, sender):
        domain = sender.partition("@")[2]
        yield Problem(
            f"neither {sender} nor {domain} is verified in SES in {deployment.region_name}",
            "the quickest is the address, by the link that AWS mails to it: "
            f"{_create(deployment, sender)}; a domain needs the three CNAME records that "
            f"{_create(deployment, domain)} answers",
        )
    account = ses.get_account()
    if not account.get("SendingEnabled", True):
        yield Problem(
            "sending is paused in SES",
            "find out why in the SES console, then "
            + deployment.aws_command(
                "sesv2", "put-account-sending-attributes", "--sending-enabled"
            ),
        )
    if not account.get("ProductionAccessEnabled", True):
        yield Problem(
            "the account is in SES's sandbox: only verified addresses are mailed",
            "ask for production access in the SES console",
        )
    quota: Mapping[str, Any] = account.get("SendQuota", {})
    most, sent = quota.get("Max24HourSend", -1), quota.get("SentLast24Hours", 0)
    if 0 <= most <= sent:
        yield Problem(
            f"all {most:.0f} mails of a day are sent", "ask for a higher quota in the SES console"
        )


def _create(deployment: Deployment, identity: str) -> str:
    return deployment.aws_command("sesv2", "create-email-identity", "--email-identity", identity)


def _is_verified(ses: Any, sender: str) -> bool:
    return any(_may_send(ses, name) for name in (sender, sender.partition("@")[2]))


def _may_send(ses: Any, identity: str) -> bool:
    try:
        found = ses.get_email_identity(EmailIdentity=identity)
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return False
    return bool(found.get("VerifiedForSendingStatus"))
