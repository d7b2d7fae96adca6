"""`HitlApprovalStack`: one `HitlApproval`, whose outputs have the plain names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from aws_cdk import Duration, Environment, IStackSynthesizer, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from hitl_approval.contract import ResumeMode
from hitl_approval.domain.policy import OnTimeout, Quorum
from hitl_approval_cdk import outputs
from hitl_approval_cdk.approval import HitlApproval
from hitl_approval_cdk.page import ApprovalPage, Delivery

DESCRIPTION = "Human approvals for AWS workflows (hitl-approval)"


class HitlApprovalOptions(TypedDict, total=False):
    """Keywords of `HitlApproval`, where each is described with its default."""

    approval_timeout: Duration | None
    approvers: Sequence[str] | None
    groups: Mapping[str, Sequence[str]] | None
    quorum: Quorum | None
    rejections_needed: int
    on_timeout: OnTimeout | None
    notify_emails: Sequence[str]
    page: ApprovalPage | None
    deliver_to: Sequence[Delivery]
    resume: ResumeMode
    removal_policy: RemovalPolicy
    encryption_key: kms.IKey | None
    signing_key: kms.IKey | None
    allow_self_approval: bool
    require_verified_identity: bool
    require_comment_on_rejection: bool
    execution_timeout: Duration | None
    execution_retention: Duration | None
    poll_interval: Duration | None
    retention: Duration | None
    sweep_interval: Duration | None
    table: dynamodb.ITable | None
    audit_table: dynamodb.ITable | None
    topic: sns.ITopic | None
    event_bus: events.IEventBus | None
    alarm_topic: sns.ITopic | None
    table_name: str | None
    deletion_protection: bool
    trust_authorizer: bool
    log_retention: logs.RetentionDays
    log_level: str
    architecture: lambda_.Architecture | None
    memory_size: int


class HitlApprovalStack(Stack):
    """A stack that is one `HitlApproval`.

    Args:
        scope: the app or a stage.
        construct_id: its name there.
        stack_name: its name in CloudFormation. Default: made from `construct_id`.
        description: shown in CloudFormation. Default: what this package is.
        env: account and region. Default: whatever the credentials at deployment say.
        synthesizer: how it is deployed. Default: the app's.
        tags: on every resource. Default: none.
        termination_protection: whether CloudFormation refuses to delete it. Default: False.
        **options: keywords of `HitlApproval`. The one default that differs: `table_name` is
            `<stack name>-ApprovalRequests`, as in the public pattern.

    Attributes:
        approval: the `HitlApproval`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str | None = None,
        description: str = DESCRIPTION,
        env: Environment | None = None,
        synthesizer: IStackSynthesizer | None = None,
        tags: Mapping[str, str] | None = None,
        termination_protection: bool = False,
        **options: Unpack[HitlApprovalOptions],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            stack_name=stack_name,
            description=description,
            env=env,
            synthesizer=synthesizer,
            tags=tags,
            termination_protection=termination_protection,
            analytics_reporting=False,
        )
        if options.get("table") is None:
            options.setdefault("table_name", f"{self.stack_name}-ApprovalRequests")
        options.setdefault("page", ApprovalPage())
        self.approval = HitlApproval(self, "Approval", **options)
        outputs.rename_plainly(self.approval)
