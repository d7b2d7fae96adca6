"""`SesMail`: mails to people through SES; what it needs, and how what comes back is noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval.contract import SES_EVENT_TYPES, SES_EVENTS, Env
from hitl_approval.domain.delivery import is_mail_address
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import line
from hitl_approval_cdk import readers
from hitl_approval_cdk.option import ContextKey
from hitl_approval_cdk.tokens import is_token, shown

if TYPE_CHECKING:
    from aws_cdk import aws_ses as ses

_SEND: Final = ("ses:SendEmail", "ses:SendRawEmail")
"""SES asks for the second of who brings a mail as bytes; CDK's own grant gives both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SesMail:
    """Mails to people through SES, for everybody whose name is an e-mail address.

    Raises:
        ValueError: a value that cannot work.

    Attributes:
        sender: the address that mails are from; it, or its domain, is verified in SES in this
            account and region.
        name: shown before it. Default: `"Approvals"`.
        reply_to: where answers go to mails about requests whose requester has no address.
            Default: to `sender`; where the requester has one, answers go there.
        identity: the identity in SES that sends. Default: the address or its domain, whichever is
            verified.
        configuration_set: one of yours to send with, for an IP pool or archiving, say; it gets a
            destination of events more. Default: a new one, which demands TLS of mail servers.
    """

    sender: str
    name: str = "Approvals"
    reply_to: str | None = None
    identity: ses.IEmailIdentity | None = None
    configuration_set: ses.IConfigurationSet | None = None

    def __post_init__(self) -> None:
        _check_address("mail.sender", self.sender)
        if self.reply_to is not None:
            _check_address("mail.reply_to", self.reply_to)
        _check_name(self.name)
        for field, attribute, fix in (
            ("identity", "email_identity_name", "ses.EmailIdentity.from_email_identity_name()"),
            (
                "configuration_set",
                "configuration_set_name",
                "ses.ConfigurationSet.from_configuration_set_name()",
            ),
        ):
            value = getattr(self, field)
            if value is not None and not hasattr(value, attribute):
                msg = f"mail.{field} must be one of CDK's, got {shown(value)}: use {fix}, say"
                raise ValueError(msg)

    @property
    def domain(self) -> str:
        """Of the sender."""
        return self.sender.partition("@")[2]


CONTEXT_KEYS: Final = (
    ContextKey(
        "mail_sender",
        lambda value: SesMail(sender=readers.text(value)),
        "an e-mail address",
        meaning="The address, verified in SES, that mails with personal links are from.",
    ),
)
"""Of the deployable app."""


class DeployedMail(Construct):
    """What a deployment sends mails by.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        mail: what it is like.

    Attributes:
        mail: what it is like.
        configuration_set: says what becomes of mails, as events on the account's default bus.
    """

    def __init__(self, scope: Construct, construct_id: str, *, mail: SesMail) -> None:
        super().__init__(scope, construct_id)
        from aws_cdk import aws_ses as ses  # slow to import, and not every app mails

        self.mail: SesMail = mail
        self.configuration_set: ses.IConfigurationSet = (
            mail.configuration_set
            or ses.ConfigurationSet(
                self,
                "ConfigurationSet",
                # What a mail brings is a secret: a link that decides.
                tls_policy=ses.ConfigurationSetTlsPolicy.REQUIRE,
            )
        )
        ses.ConfigurationSetEventDestination(
            self,
            "Returned",
            configuration_set=self.configuration_set,
            destination=ses.EventDestination.event_bus(
                events.EventBus.from_event_bus_name(self, "Bus", "default")
            ),
            events=[
                ses.EmailSendingEvent.BOUNCE,
                ses.EmailSendingEvent.COMPLAINT,
                ses.EmailSendingEvent.REJECT,
            ],
        )

    @property
    def variables(self) -> Mapping[str, str]:
        """What the messenger must know of it."""
        values: dict[str, Any] = {
            "address": self.mail.sender,
            "name": self.mail.name,
            "reply_to": self.mail.reply_to,
            "configuration_set": self.configuration_set.configuration_set_name,
        }
        known = {name: value for name, value in values.items() if value is not None}
        return {Env.MAIL: Stack.of(self).to_json_string(known)}

    def send(self, grantee: iam.IGrantable) -> None:
        """Allow sending as this sender, with this configuration set, and as nobody else."""
        stack = Stack.of(self)
        identities = (
            [self.mail.sender, self.mail.domain]
            if self.mail.identity is None
            else [self.mail.identity.email_identity_name]
        )
        name = self.configuration_set.configuration_set_name
        arns = [
            *(
                stack.format_arn(service="ses", resource="identity", resource_name=each)
                for each in identities
            ),
            stack.format_arn(service="ses", resource="configuration-set", resource_name=name),
        ]
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(_SEND),
            resource_arns=arns,
            conditions={"StringEquals": {"ses:FromAddress": self.mail.sender}},
        )

    def return_to(self, messenger: lambda_.IFunction) -> None:
        """Let the messenger note what comes back of its mails."""
        events.Rule(
            self,
            "ReturnedRule",
            description="hitl-approval: mails that did not reach their reader",
            event_pattern=events.EventPattern(
                source=[SES_EVENTS],
                detail={
                    "eventType": list(SES_EVENT_TYPES),
                    "mail": {
                        "tags": {
                            "ses:configuration-set": [self.configuration_set.configuration_set_name]
                        }
                    },
                },
            ),
            targets=[targets.LambdaFunction(messenger)],
        )


def deployed_mail(scope: Construct, mail: SesMail | None) -> DeployedMail | None:
    """What a deployment sends mails by; None where it sends none."""
    return None if mail is None else DeployedMail(scope, "Mail", mail=mail)


def _check_address(name: str, value: Any) -> None:
    if is_token(value) or not isinstance(value, str) or not is_mail_address(value):
        msg = (
            f"{name} must be an e-mail address that is known at synth, got {shown(value)}: use "
            f'"approvals@example.com", say, without a name and in ASCII'
        )
        raise ValueError(msg)


def _check_name(value: Any) -> None:
    try:
        line(value, "mail.name", maximum=64)
    except InvalidRequest as error:
        msg = f'{error}, got {shown(value)}: use "Approvals", say'
        raise ValueError(msg) from error
