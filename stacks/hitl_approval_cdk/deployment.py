"""What can be done with a deployment, whether made here or imported: grants, metrics, events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from hitl_approval.contract import Events, Metrics, Table
from hitl_approval_cdk.archive import DeployedArchive
from hitl_approval_cdk.permissions import let_invoke, let_read
from hitl_approval_cdk.placement import differs, place_of

METRIC_PERIOD = Duration.minutes(5)


class MetricOptions(TypedDict, total=False):
    """Keywords of `cloudwatch.Metric` that a caller may set."""

    account: str
    color: str
    label: str
    period: Duration
    region: str
    statistic: str
    unit: cloudwatch.Unit


class RuleOptions(TypedDict, total=False):
    """Keywords of `events.Rule` that a caller may set."""

    description: str
    enabled: bool
    rule_name: str


class ApprovalDeployment(Construct):
    """Grants, metrics and events of one deployment: a `HitlApproval`, or an imported one.

    Attributes:
        table: the approvals table.
        audit_table: the append-only audit table.
        topic: where everybody who subscribed is notified of each request.
        workflow_alias: what callers start.
        approval_function: decides, lists and cancels.
        event_bus: the bus to which every transition is published; None if there is none.
        signing_key: the key that signs audit events; None if they are not signed.
    """

    table: dynamodb.ITable
    audit_table: dynamodb.ITable
    topic: sns.ITopic
    workflow_alias: lambda_.IFunction
    approval_function: lambda_.IFunction
    event_bus: events.IEventBus | None
    signing_key: kms.IKey | None

    @property
    def archive(self) -> DeployedArchive | None:
        """What it archives with: `bucket` and `key`; None without, and where it is imported."""
        return cast("DeployedArchive | None", self.node.try_find_child("Archive"))

    def grant_request(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody ask: start workflow executions through the alias.

        Services, accounts, organizations and roles of other accounts are allowed by the alias's
        own policy.
        """
        return let_invoke(self.workflow_alias, grantee)

    def grant_decide(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody decide, list and cancel: invoke the approval function.

        Services, accounts, organizations and roles of other accounts are allowed by the function's
        own policy.
        """
        return let_invoke(self.approval_function, grantee)

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read the approvals themselves, one or a list by status.

        Raises:
            ValueError: no role or user of this account.
        """
        actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
        grant = let_read(grantee, actions, self.table)
        _decrypt(self.table, grantee)
        return grant.combine(
            let_read(grantee, ["dynamodb:Query"], self.table, f"/index/{Table.STATUS_INDEX}")
        )

    def grant_read_audit(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read, export and verify the audit without asking who wrote it.

        Raises:
            ValueError: no role or user of this account.
        """
        actions = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]
        grant = let_read(grantee, actions, self.audit_table)
        _decrypt(self.audit_table, grantee)
        if self.signing_key is not None:
            self.signing_key.grant(grantee, "kms:Verify")
        if self.archive is not None:
            self.archive.read(grantee, self.table.table_name)
        return grant

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """A metric of this deployment, one of `hitl_approval.contract.Metrics`.

        Args:
            metric_name: its name.
            **options: keywords of `cloudwatch.Metric`. Default: the sum over 5 minutes.
        """
        values: MetricOptions = {"period": METRIC_PERIOD, "statistic": "Sum", **options}
        return cloudwatch.Metric(
            namespace=Metrics.NAMESPACE,
            metric_name=metric_name,
            dimensions_map={Metrics.DEPLOYMENT: self.table.table_name},
            **values,
        )

    def metric_pending(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that await a decision, up to 100,000, as sweeps count. Default: the maximum."""
        options.setdefault("statistic", "Maximum")
        return self.metric(Metrics.PENDING, **options)

    def metric_time_to_decision(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Seconds from a request to people's answer. Default: the median."""
        options.setdefault("statistic", "p50")
        return self.metric(Metrics.TIME_TO_DECISION, **options)

    def metric_timed_out(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests that nobody decided in time."""
        return self.metric(Metrics.TIMED_OUT, **options)

    def metric_notification_failed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Requests whose approvers could not be notified at first."""
        return self.metric(Metrics.NOTIFICATION_FAILED, **options)

    def metric_decided_not_resumed(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Decisions whose workflow a sweep found suspended or ended; 0 when all is well."""
        return self.metric(Metrics.DECIDED_NOT_RESUMED, **options)

    def on_event(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        detail_types: Sequence[str] = (),
        **options: Unpack[RuleOptions],
    ) -> events.Rule:
        """Bring this deployment's events to a target.

        Args:
            construct_id: name of the rule below this construct.
            target: where to. Default: nowhere, until `add_target`.
            detail_types: of `hitl_approval.contract.Events`. Default: all.
            **options: keywords of `events.Rule`.

        Raises:
            ValueError: this deployment publishes to no bus, or to one of another account.
        """
        if self.event_bus is None:
            msg = (
                f"{self.node.path} publishes to no event bus, because its audit_table has no "
                f"stream: give that table stream=StreamViewType.NEW_AND_OLD_IMAGES, or leave "
                f"audit_table out"
            )
            raise ValueError(msg)
        theirs, ours = place_of(self.event_bus, "account"), Stack.of(self).account
        if differs(theirs, ours):
            msg = (
                f"event_bus belongs to account {theirs}, this stack to {ours}: a bus has its rules "
                f"in its own account, so make an events.Rule there for the source {Events.SOURCE}"
            )
            raise ValueError(msg)
        detail: Mapping[str, Any] = {"deployment": [self.table.table_name]}
        pattern = events.EventPattern(
            source=[Events.SOURCE], detail_type=list(detail_types) or None, detail=detail
        )
        rule = events.Rule(
            self, construct_id, event_bus=self.event_bus, event_pattern=pattern, **options
        )
        if target is not None:
            rule.add_target(target)
        return rule

    def on_requested(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        **options: Unpack[RuleOptions],
    ) -> events.Rule:
        """Bring each new request to a target; see `on_event`."""
        return self.on_event(
            construct_id, target=target, detail_types=[Events.REQUESTED], **options
        )

    def on_decided(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        **options: Unpack[RuleOptions],
    ) -> events.Rule:
        """Bring each approval and each rejection to a target; see `on_event`."""
        return self.on_event(construct_id, target=target, detail_types=[Events.DECIDED], **options)

    def on_timed_out(
        self,
        construct_id: str,
        *,
        target: events.IRuleTarget | None = None,
        **options: Unpack[RuleOptions],
    ) -> events.Rule:
        """Bring each request that nobody decided in time to a target; see `on_event`."""
        return self.on_event(
            construct_id, target=target, detail_types=[Events.TIMED_OUT], **options
        )


def _decrypt(table: dynamodb.ITable, grantee: iam.IGrantable) -> None:
    if table.encryption_key is not None:
        table.encryption_key.grant(grantee, "kms:Decrypt", "kms:DescribeKey")
