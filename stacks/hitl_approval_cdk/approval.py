"""`HitlApproval`: everything that one deployment of human approvals needs."""

from __future__ import annotations

from collections.abc import Sequence

import jsii
from aws_cdk import (
    Acknowledgment,
    Annotations,
    Aspects,
    Duration,
    IAspect,
    RemovalPolicy,
    Stack,
    Token,
    Tokenization,
    Validations,
)
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from hitl_approval.contract import (
    ALIAS,
    EXECUTION_MARGIN_SECONDS,
    LOG_LEVELS,
    Audit,
    Env,
    Handler,
    ResumeMode,
    Table,
)
from hitl_approval.domain.policy import OnTimeout, Policy, Quorum
from hitl_approval_cdk import bundling, validation

# What DynamoDB asks of a caller's right to the key of an encrypted table ("Encryption at rest:
# usage notes", DynamoDB developer guide), without its wildcards.
_TABLE_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_SEND_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")

_WORKFLOW_SECONDS = 60
"""Time of one invocation: a few writes, then it suspends. Nothing to do with the wait."""
_PLAIN_SECONDS = 30


class HitlApproval(Construct):
    """Ask people, wait as long as it takes at no compute cost, keep a record of who decided.

    Deploys the approvals table, an append-only audit table, the notification topic, the durable
    workflow function (published versions, alias `live`) and the approval function, with one
    least-privilege role per function. Two of them fit in one stack.

    ```python
    approval = HitlApproval(self, "Approval", notify_emails=["ann@example.com"])
    approval.grant_decide(reviewers)
    ```

    Args:
        scope: where it belongs.
        construct_id: its name there; part of the logical ids of tables that hold data.
        approval_timeout: time to decide of requests that ask for none; whole seconds, at least
            60 s. Default: 1 hour.
        approvers: who may decide requests that name nobody; at most 20. Default: anyone who may
            call the approval function.
        quorum: how many must approve. Default: any one.
        rejections_needed: how many must reject for a rejection. Default: 1, a veto for each.
        on_timeout: what silence means: a timeout or a rejection, never an approval.
            Default: `OnTimeout.timeout()`.
        notify_emails: addresses subscribed to the topic; each confirms once, by the mail that AWS
            sends. Default: none.
        resume: `"callback"` wakes the workflow at once; `"polling"` looks at the record every so
            often, for accounts that may not call Lambda's callback API. Default: `"callback"`.
        removal_policy: what happens to both tables when the stack is deleted. A retained table
            with a `table_name` has to be removed or imported before that name is deployed again.
            Default: `RemovalPolicy.RETAIN`.
        encryption_key: key for the tables, the topic and the dead-letter queue, except those
            brought along. Default: keys that AWS owns and manages.
        allow_self_approval: whether requesters may decide their own requests. Default: False.
        require_verified_identity: refuse deciders whose name was only typed in. Default: False.
        require_comment_on_rejection: a rejection must say why. Default: False.
        execution_timeout: longest life of one workflow execution, at most 366 days. A request may
            ask for this long less 900 s; with a token, for no more than `approval_timeout`.
            Default: whole days, at least one more than `approval_timeout` and at least 7 days.
        execution_retention: how long Lambda keeps a finished execution's history; 1 to 90 days.
            Default: 14 days.
        poll_interval: shortest time between two polls, stretched to 0.5 % of the time waited;
            whole seconds, at least 1 s. Only for polling. Default: 5 seconds.
        retention: how long an approval's row stays after its expiry, in whole days. The audit
            table keeps its events for good. Default: 30 days.
        sweep_interval: how often what was left behind is looked for, whole minutes, at least 1.
            Default: 5 minutes.
        table: an approvals table to use, with the keys and the indexes of
            `hitl_approval.contract.Table`. Default: a new one.
        audit_table: an audit table to use, with the keys of `hitl_approval.contract.Audit`.
            Default: a new one.
        topic: a topic to publish to. Default: a new one that refuses unencrypted connections.
        table_name: physical name of the approvals table. Default: a generated one.
        deletion_protection: whether DynamoDB refuses to delete the tables. Default: False.
        trust_authorizer: whether the approval function is reached only through an API whose
            authorizer can be believed; who may invoke it directly could otherwise write any
            identity into the event. Default: False.
        log_retention: how long both functions' logs are kept. Default: three months.
        log_level: level of this package's own log lines. Default: `"INFO"`.
        architecture: of both functions. Default: `Architecture.ARM_64`.
        memory_size: of both functions, in MB. Default: 512.

    Attributes:
        table: the approvals table.
        audit_table: the append-only audit table.
        topic: where approvers hear of requests.
        workflow_function: the durable function; start its alias, never the function itself.
        workflow_alias: `live`: what callers start.
        approval_function: decides, lists and cancels.
        sweep_function: mends on a schedule what a crash or an operator left behind.
        dead_letter_queue: starts that failed every attempt.

    Raises:
        ValueError: a value that cannot work; the message names property, value and fix.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        approval_timeout: Duration | None = None,
        approvers: Sequence[str] | None = None,
        quorum: Quorum | None = None,
        rejections_needed: int = 1,
        on_timeout: OnTimeout | None = None,
        notify_emails: Sequence[str] = (),
        resume: ResumeMode = "callback",
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
        encryption_key: kms.IKey | None = None,
        allow_self_approval: bool = False,
        require_verified_identity: bool = False,
        require_comment_on_rejection: bool = False,
        execution_timeout: Duration | None = None,
        execution_retention: Duration | None = None,
        poll_interval: Duration | None = None,
        retention: Duration | None = None,
        sweep_interval: Duration | None = None,
        table: dynamodb.ITable | None = None,
        audit_table: dynamodb.ITable | None = None,
        topic: sns.ITopic | None = None,
        table_name: str | None = None,
        deletion_protection: bool = False,
        trust_authorizer: bool = False,
        log_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        log_level: str = "INFO",
        architecture: lambda_.Architecture | None = None,
        memory_size: int = 512,
    ) -> None:
        super().__init__(scope, construct_id)
        # The functions' log groups are made here, whatever the app around us does by default.
        self.node.set_context("@aws-cdk/aws-lambda:useCdkManagedLogGroup", False)
        approval_timeout = approval_timeout or Duration.hours(1)
        execution_retention = execution_retention or Duration.days(14)
        poll_interval = poll_interval or Duration.seconds(5)
        retention = retention or Duration.days(30)
        sweep_interval = sweep_interval or Duration.minutes(5)
        quorum = quorum or Quorum.any_one()
        architecture = architecture or lambda_.Architecture.ARM_64

        validation.resume_mode(resume)
        validation.rules(
            quorum=quorum,
            on_timeout=on_timeout,
            allow_self_approval=allow_self_approval,
            require_verified_identity=require_verified_identity,
            require_comment_on_rejection=require_comment_on_rejection,
            deletion_protection=deletion_protection,
            trust_authorizer=trust_authorizer,
        )
        approval_seconds = validation.approval_seconds(approval_timeout)
        execution_timeout = execution_timeout or validation.default_execution_timeout(
            approval_seconds
        )
        execution_seconds = validation.execution_seconds(execution_timeout, approval_seconds)
        longest = (
            None if execution_seconds is None else execution_seconds - EXECUTION_MARGIN_SECONDS
        )
        validation.poll_seconds(poll_interval, longest=longest, resume=resume)
        validation.days("retention", retention)
        validation.sweep_minutes(sweep_interval)
        validation.days(
            "execution_retention",
            execution_retention,
            maximum=validation.MAX_EXECUTION_RETENTION_DAYS,
        )
        policy = Policy(
            quorum=quorum,
            rejections_needed=rejections_needed,
            on_timeout=on_timeout or OnTimeout.timeout(),
            allow_self_approval=allow_self_approval,
            require_verified_identity=require_verified_identity,
            require_comment_on_rejection=require_comment_on_rejection,
        )
        names = validation.approvers(approvers, policy)
        addresses = validation.emails(notify_emails)
        validation.removal(removal_policy, deletion_protection=deletion_protection)
        validation.one_of("log_level", log_level, LOG_LEVELS)
        validation.one_of("architecture", architecture.name, tuple(bundling.PLATFORMS))
        validation.memory(memory_size)
        if table is not None and table_name is not None:
            msg = f"table_name {table_name!r} has no effect on a table brought along: leave it out"
            raise ValueError(msg)

        self._encryption_key = encryption_key
        self._removal_policy = removal_policy
        self._deletion_protection = deletion_protection
        self._log_retention = log_retention
        self._architecture = architecture
        self._memory_size = memory_size
        self._code = bundling.code(architecture)

        self.table: dynamodb.ITable = table or self._approvals_table(table_name)
        self.audit_table: dynamodb.ITable = audit_table or self._audit_table()
        self.topic: sns.ITopic = topic or sns.Topic(
            self, "Topic", enforce_ssl=True, master_key=encryption_key
        )
        self._topic_key = topic.master_key if topic else encryption_key
        for index, address in enumerate(addresses):
            sns.Subscription(
                self,
                f"Email{index}" if Token.is_unresolved(address) else f"Email-{address}",
                topic=self.topic,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=address,
            )

        both = {
            Env.APPROVALS_TABLE_NAME: self.table.table_name,
            Env.AUDIT_TABLE_NAME: self.audit_table.table_name,
            Env.LOG_LEVEL: log_level,
        }
        stack = Stack.of(self)
        self.dead_letter_queue: sqs.Queue = self._dead_letter_queue()
        self.workflow_function: lambda_.Function = self._workflow_function(
            execution_timeout=execution_timeout,
            execution_retention=execution_retention,
            environment={
                **both,
                Env.SNS_TOPIC_ARN: self.topic.topic_arn,
                Env.APPROVAL_TIMEOUT_SECONDS: _text(approval_timeout.to_seconds()),
                Env.MAX_APPROVAL_TIMEOUT_SECONDS: _text(
                    approval_timeout.to_seconds() if longest is None else longest
                ),
                Env.APPROVAL_POLICY: stack.to_json_string(policy.to_dict()),
                Env.DEFAULT_APPROVERS: stack.to_json_string(list(names)),
                Env.RESUME_MODE: resume,
                Env.POLL_INTERVAL_SECONDS: _text(poll_interval.to_seconds()),
                Env.RETENTION_DAYS: _text(retention.to_days()),
            },
        )
        self.workflow_alias: lambda_.Alias = lambda_.Alias(
            self,
            "LiveAlias",
            alias_name=ALIAS,
            version=self.workflow_function.current_version,
            # A failed execution may already have asked people: never ask them again. Throttled
            # starts are not failures and stay queued for 6 hours.
            retry_attempts=0,
            max_event_age=Duration.hours(6),
        )
        # Nobody can start an execution that is not yet allowed to checkpoint.
        self.workflow_alias.node.add_dependency(self._workflow_policy)
        self.approval_function: lambda_.Function = self._approval_function(
            {**both, Env.TRUST_AUTHORIZER: "true" if trust_authorizer else "false"}
        )
        self.sweep_function: lambda_.Function = self._sweep_function(both, sweep_interval)
        self._warn(policy, approvers, own_topic=topic is None)

    def _warn(self, policy: Policy, approvers: Sequence[str] | None, *, own_topic: bool) -> None:
        if policy.quorum.kind == "everyone" and approvers is None:
            Annotations.of(self).add_warning_v2(
                "hitl-approval:quorumWithoutApprovers",
                "quorum is everyone but no approvers are configured: every request must name its "
                "own, or it is refused",
            )
        if own_topic:
            Aspects.of(self).add(_WarnIfNobodySubscribed(self.topic))

    def grant_request(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody ask: start workflow executions through the alias."""
        return self.workflow_alias.grant_invoke(grantee)

    def grant_decide(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody decide, list and cancel: invoke the approval function."""
        return self.approval_function.grant_invoke_latest_version(grantee)

    def _approvals_table(self, table_name: str | None) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            table_name=table_name,
            partition_key=_string(Table.PARTITION_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=Table.TTL,
            point_in_time_recovery_specification=_recovery(),
            encryption=self._table_encryption(),
            encryption_key=self._encryption_key,
            removal_policy=self._removal_policy,
            deletion_protection=self._deletion_protection,
        )
        table.add_global_secondary_index(
            index_name=Table.STATUS_INDEX,
            partition_key=_string(Table.STATUS),
            sort_key=_string(Table.CREATED_AT),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(Table.LIST_ATTRIBUTES),
        )
        table.add_global_secondary_index(
            index_name=Table.ATTENTION_INDEX,
            partition_key=_string(Table.ATTENTION),
            sort_key=_string(Table.ATTENTION_AT),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table

    def _audit_table(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "AuditTable",
            partition_key=_string(Audit.PARTITION_KEY),
            sort_key=dynamodb.Attribute(name=Audit.SORT_KEY, type=dynamodb.AttributeType.NUMBER),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=_recovery(),
            encryption=self._table_encryption(),
            encryption_key=self._encryption_key,
            removal_policy=self._removal_policy,
            deletion_protection=self._deletion_protection,
        )

    def _table_encryption(self) -> dynamodb.TableEncryption:
        if self._encryption_key is None:
            return dynamodb.TableEncryption.AWS_MANAGED
        return dynamodb.TableEncryption.CUSTOMER_MANAGED

    def _dead_letter_queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "DeadLetterQueue",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED
            if self._encryption_key is None
            else sqs.QueueEncryption.KMS,
            encryption_master_key=self._encryption_key,
            retention_period=Duration.days(14),
        )

    def _workflow_function(
        self,
        *,
        execution_timeout: Duration,
        execution_retention: Duration,
        environment: dict[str, str],
    ) -> lambda_.Function:
        role = self._role(
            "WorkflowRole", "Asks and waits: writes approvals, publishes to the topic"
        )
        self._allow(
            role,
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            self.table.table_arn,
        )
        self._allow(role, ["dynamodb:PutItem"], self.audit_table.table_arn)
        self._allow(role, ["sns:Publish"], self.topic.topic_arn)
        self._allow_table_keys(role)
        self._allow_key(role, self._topic_key, _SEND_KEY_ACTIONS)
        self._allow_key(role, self._encryption_key, _SEND_KEY_ACTIONS)  # the dead-letter queue
        function = lambda_.Function(
            self,
            "WorkflowFunction",
            description="Asks people for approval and waits for their decision",
            runtime=_runtime(),
            code=self._code,
            handler=Handler.WORKFLOW,
            architecture=self._architecture,
            memory_size=self._memory_size,
            timeout=Duration.seconds(_WORKFLOW_SECONDS),
            role=role,
            environment=environment,
            durable_config=lambda_.DurableConfig(
                execution_timeout=execution_timeout,
                retention_period=execution_retention,
            ),
            dead_letter_queue=self.dead_letter_queue,  # adds sqs:SendMessage to the role
            current_version_options=lambda_.VersionOptions(
                # Executions stay on the version they started on, for as long as they wait.
                removal_policy=RemovalPolicy.RETAIN,
            ),
        )
        _acknowledge_runtime(function)
        Annotations.of(function).acknowledge_info(
            "aws-lambda:Function.DurableConfig", "It is durable from its first deployment on."
        )
        self._workflow_policy = self._own_policy(
            "WorkflowOwnPolicy",
            role,
            self._log_group("WorkflowLogs", function),
            iam.PolicyStatement(
                actions=["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
                resources=[f"{function.function_arn}:*"],
            ),
        )
        _acknowledge_executions(self._workflow_policy, function)
        return function

    def _approval_function(self, environment: dict[str, str]) -> lambda_.Function:
        role = self._role(
            "ApprovalRole", "Decides: reads and updates approvals, rings the workflow"
        )
        self._allow(role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        self._allow(role, ["dynamodb:Query"], f"{self.table.table_arn}/index/{Table.STATUS_INDEX}")
        self._allow(role, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        self._allow(
            role,
            ["lambda:SendDurableExecutionCallbackSuccess"],
            f"{self.workflow_function.function_arn}:*",
        )
        return self._plain_function(
            "Approval", "Takes people's decisions", Handler.APPROVAL_API, role, environment
        )

    def _sweep_function(self, environment: dict[str, str], interval: Duration) -> lambda_.Function:
        role = self._role("SweepRole", "Mends: closes what is overdue, rings again")
        self._allow(role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        index = f"{self.table.table_arn}/index/{Table.ATTENTION_INDEX}"
        self._allow(role, ["dynamodb:Query"], index)
        self._allow(role, ["dynamodb:PutItem"], self.audit_table.table_arn)
        self._allow(
            role,
            ["lambda:GetDurableExecution", "lambda:SendDurableExecutionCallbackSuccess"],
            f"{self.workflow_function.function_arn}:*",
        )
        function = self._plain_function(
            "Sweep",
            "Mends what was left behind",
            Handler.SWEEP,
            role,
            environment,
        )
        events.Rule(
            self,
            "SweepSchedule",
            schedule=events.Schedule.rate(interval),
            targets=[targets.LambdaFunction(function)],
        )
        return function

    def _plain_function(
        self,
        name: str,
        description: str,
        handler: str,
        role: iam.Role,
        environment: dict[str, str],
    ) -> lambda_.Function:
        self._allow_table_keys(role)
        function = lambda_.Function(
            self,
            f"{name}Function",
            description=description,
            runtime=_runtime(),
            code=self._code,
            handler=handler,
            architecture=self._architecture,
            memory_size=self._memory_size,
            timeout=Duration.seconds(_PLAIN_SECONDS),
            role=role,
            environment=environment,
        )
        _acknowledge_runtime(function)
        _acknowledge_executions(role, self.workflow_function)
        self._own_policy(f"{name}OwnPolicy", role, self._log_group(f"{name}Logs", function))
        return function

    def _role(self, construct_id: str, description: str) -> iam.Role:
        return iam.Role(
            self,
            construct_id,
            description=description,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )

    def _log_group(self, construct_id: str, function: lambda_.Function) -> logs.LogGroup:
        """The group where Lambda, and so `aws logs tail /aws/lambda/NAME`, looks by itself."""
        return logs.LogGroup(
            self,
            construct_id,
            log_group_name=f"/aws/lambda/{function.function_name}",
            retention=self._log_retention,
            removal_policy=self._removal_policy,
        )

    def _own_policy(
        self,
        construct_id: str,
        role: iam.Role,
        group: logs.LogGroup,
        *statements: iam.PolicyStatement,
    ) -> iam.Policy:
        """What a role may do with its own function.

        A policy by itself, on which the function does not depend: in the role's default policy it
        would lead CloudFormation in a circle.
        """
        log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            # The ARN of a log group ends in `:*`, which stands for its streams.
            resources=[group.log_group_arn],
        )
        return iam.Policy(self, construct_id, statements=[log, *statements], roles=[role])

    def _allow(self, role: iam.Role, actions: list[str], resource: str) -> None:
        role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))

    def _allow_table_keys(self, role: iam.Role) -> None:
        self._allow_key(role, self.table.encryption_key, _TABLE_KEY_ACTIONS)
        self._allow_key(role, self.audit_table.encryption_key, _TABLE_KEY_ACTIONS)

    def _allow_key(self, role: iam.Role, key: kms.IKey | None, actions: Sequence[str]) -> None:
        if key is not None:
            key.grant(role, *actions)


@jsii.implements(IAspect)
class _WarnIfNobodySubscribed:
    """Looks when the whole app is there: subscriptions are often added after the construct."""

    def __init__(self, topic: sns.ITopic) -> None:
        self.topic = topic

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, HitlApproval) or node.topic is not self.topic:
            return
        stack = Stack.of(node)
        topic_arn = stack.resolve(self.topic.topic_arn)
        for other in node.node.root.node.find_all():
            if isinstance(other, sns.CfnSubscription) and (
                stack.resolve(other.topic_arn) == topic_arn
            ):
                return
        Annotations.of(node).add_warning_v2(
            "hitl-approval:nobodyIsSubscribed",
            "nobody hears of approval requests: pass notify_emails, or subscribe to the topic",
        )


def _text(number: float) -> str:
    """A number as the environment holds it, tokens included."""
    return Tokenization.stringify_number(number)


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _recovery() -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)


def _runtime() -> lambda_.Runtime:
    return lambda_.Runtime.PYTHON_3_13


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of cdk-nag's does not apply here; costs nothing where nobody runs it."""
    acknowledgment = Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    Validations.of(construct).acknowledge(acknowledgment)


def _acknowledge_runtime(function: lambda_.Function) -> None:
    _acknowledge(
        function,
        "L1",
        "Durable functions run on python3.13 and python3.14; the locked bundle is resolved for "
        f"python{bundling.PYTHON_VERSION}.",
    )


def _acknowledge_executions(construct: IConstruct, function: lambda_.Function) -> None:
    stack = Stack.of(function)
    arn = stack.get_logical_id(function.node.default_child)  # type: ignore[arg-type]
    _acknowledge(
        construct,
        f"IAM5[Resource::<{arn}.Arn>:*]",
        "Lambda authorizes durable actions on versions and executions of this one function, "
        "whose ids are not known before they exist.",
    )
