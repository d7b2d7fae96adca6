"""Puts alarms, their topic and the dashboard beside a deployment that is monitored."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Annotations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from hitl_approval_cdk import alarms, dashboard
from hitl_approval_cdk.monitoring import Monitoring
from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.topic import BroadcastTopic, subscribe_emails
from hitl_approval_cdk.watched import Watched

if TYPE_CHECKING:
    from hitl_approval_cdk.approval import HitlApproval

_ALARM_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")
"""What CloudWatch needs of the key of a topic to which it sends alarms."""


def watch(
    approval: HitlApproval, options: ResolvedOptions
) -> tuple[cloudwatch.Dashboard | None, sns.ITopic | None]:
    """Add what `monitoring` asks for; the dashboard and the topic of the alarms, as far as made."""
    chosen = cast("Monitoring | None", options["monitoring"])
    if chosen is None:
        return None, None
    topic = _topic(approval, chosen, options["encryption_key"])
    watched = _watched(approval, options)
    made = alarms.add(approval, watched, chosen, topic)
    shown = dashboard.add(approval, watched, chosen, made) if chosen.dashboard else None
    return shown, topic


def _topic(scope: Construct, chosen: Monitoring, key: kms.IKey | None) -> sns.ITopic | None:
    """The topic that gets the alarms: given, made for addresses, or none."""
    topic = chosen.alarm_topic
    if chosen.alarm_emails:
        if topic is None:
            topic = BroadcastTopic(scope, "AlarmTopic", encryption_key=key)
            if key is not None:
                _let_alarms_use(scope, key)
        subscribe_emails(Construct(scope, "AlarmEmails"), topic, chosen.alarm_emails)
    return topic


def _let_alarms_use(scope: Construct, key: kms.IKey) -> None:
    added = key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=list(_ALARM_KEY_ACTIONS),
            resources=["*"],  # in a key's policy: this key
        )
    ).statement_added
    if not added:
        Annotations.of(scope).add_warning_v2(
            "hitl-approval:alarmsKeyNotOurs",
            f"the policy of encryption_key {key.node.path} is not made in this app: it must allow "
            f"cloudwatch.amazonaws.com {', '.join(_ALARM_KEY_ACTIONS)}, or no alarm is mailed",
        )


def _watched(approval: HitlApproval, options: ResolvedOptions) -> Watched:
    page = approval.page
    functions = {
        "Workflow": approval.workflow_function,
        "Request": approval.request_function,
        "Approval": approval.approval_function,
        "Sweep": approval.sweep_function,
        "Publisher": approval.publisher_function,
        "Messenger": approval.messenger_function,
        "Page": None if page is None else page.function,
        "Signed-in": None if page is None else page.signed_in_function,
        "Slack": None if page is None else page.slack_function,
    }
    tables = {
        "Approvals": approval.table,
        "Audit": approval.audit_table,
        "Inbox": approval.inbox_table,
        "Messages": approval.messages_table,
    }
    return Watched(
        metric=approval.metric,
        workflow=approval.workflow_function,
        sweep=approval.sweep_function,
        sweep_interval=options["sweep_interval"],
        publisher=approval.publisher_function,
        messenger=approval.messenger_function,
        functions={name: each for name, each in functions.items() if each is not None},
        tables={name: each for name, each in tables.items() if each is not None},
        dead_letter_queue=approval.dead_letter_queue,
        archives=approval.archive is not None,
    )
