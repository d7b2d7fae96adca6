"""The options of who is notified, how, and of what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Generic, Literal, TypedDict

from aws_cdk import Duration

from hitl_approval.contract import Env
from hitl_approval_cdk import mail, option, readers, rules, slack, webhook
from hitl_approval_cdk.delivery import Delivery, deliveries
from hitl_approval_cdk.mail import SesMail
from hitl_approval_cdk.option import ContextKey, LeftOut, Option, Variable
from hitl_approval_cdk.slack import Slack
from hitl_approval_cdk.webhook import Webhook

OptionalKind = Literal["reminder", "released", "outcome", "expired", "withdrawn"]
"""Kinds of messages that a deployment need not send: see `contract.MessageKind`."""
_ADDRESSES = "addresses with commas between them"


class MessagingOptions(TypedDict, Generic[LeftOut], total=False):
    """Who is notified, how, and of what."""

    notify_emails: Annotated[
        Sequence[str],
        Option(
            rules.emails, default=(), keys=[ContextKey("notify_emails", readers.names, _ADDRESSES)]
        ),
    ]
    """Addresses subscribed to the topic; each confirms once, by the mail that AWS sends.
    Default: none."""

    deliver_to: Annotated[
        Sequence[Delivery],
        Option(
            deliveries,
            default=(),
            keys=[
                ContextKey(
                    "deliver_to",
                    readers.approvers_by_mail,
                    _ADDRESSES,
                    meaning="Addresses of approvers; each is mailed personal links of their own. "
                    "Name them as `approvers` too.",
                )
            ],
        ),
    ]
    """How approvers get their personal links: `EmailApprover("ann@example.com")` or
    `SqsApprover("ann", queue)`, each only their own. Needs a `page`. Default: to nobody."""

    mail: Annotated[
        SesMail | None,
        Option(
            rules.instance_of(SesMail, 'use SesMail(sender="approvals@example.com")'),
            keys=mail.CONTEXT_KEYS,
        ),
    ]
    """Mails by SES to everybody whose name is an e-mail address, with a personal link of their own,
    and to each `EmailApprover`: `SesMail(sender="approvals@example.com")`. Needs a `page`.
    Default: none, SNS mails to those in `deliver_to`."""

    slack: Annotated[
        Slack | None,
        Option(
            rules.instance_of(Slack, "use Slack(secret=..., team_id=...)"),
            variable=Variable(
                Env.SLACK, slack.as_variable, ("messenger function", "Slack function")
            ),
        ),
    ]
    """The Slack workspace where approvers are asked and decide: each whose name is an address, a
    channel, or both. Needs a `page`. Default: none."""

    webhooks: Annotated[
        Sequence[Webhook] | None,
        Option(
            webhook.webhooks,
            variable=Variable(Env.WEBHOOKS, webhook.as_variable, ("messenger function",)),
        ),
    ]
    """Addresses of yours that are called for each request and for its end, signed as Standard
    Webhooks has it. Needs a `page`. Default: none."""

    reminders: Annotated[
        Sequence[Duration] | LeftOut,
        Option(
            rules.reminders,
            keys=[ContextKey("reminder_seconds", readers.each_in_seconds, "seconds with commas")],
            variable=Variable(Env.REMINDERS, option.each_in_seconds),
        ),
    ]
    """After how long who has not answered is sent a reminder with a link; whole seconds each, at
    least 60 s, at most 10 of them, none for an empty list. Needs a `page`.
    Default: at half time and at nine tenths of requests of an hour or more."""

    messages_off: Annotated[
        Sequence[OptionalKind],
        Option(
            rules.messages_off,
            default=(),
            keys=[ContextKey("messages_off", readers.names, "kinds with commas between them")],
            variable=Variable(Env.MESSAGES_OFF, option.as_json, ("messenger function",)),
        ),
    ]
    """Kinds of messages that nobody is sent: `"reminder"`, `"released"`, `"outcome"`,
    `"expired"`, `"withdrawn"`. Default: all are sent."""
