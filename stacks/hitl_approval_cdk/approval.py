"""`HitlApproval`: everything that one deployment of human approvals needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import jsii
from aws_cdk import (
    Annotations,
    Aspects,
    Duration,
    IAspect,
    RemovalPolicy,
    Stack,
    Token,
    Tokenization,
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
    Env,
    Handler,
    ResumeMode,
)
from hitl_approval.domain.policy import OnTimeout, Policy, Quorum
from hitl_approval_cdk import bundling, nag, tables, validation
from hitl_approval_cdk.functions import Functions
from hitl_approval_cdk.permissions import (
    LOOK,
    RING,
    Permissions,
    allow,
    executions_of,
    send_with,
)


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
        approvers: who may decide requests that name nobody: people or `groups`; at most 20
            people. Default: anyone who may call the approval function.
        groups: the people that a name in `approvers`, here or in a request, stands for.
            Default: none, every name is a person's own.
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
        groups: Mapping[str, Sequence[str]] | None = None,
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
        members = validation.groups(groups or {})
        names = validation.approvers(approvers, policy, members)
        validation.environment(names, members)
        addresses = validation.emails(notify_emails)
        validation.removal(removal_policy, deletion_protection=deletion_protection)
        validation.one_of("log_level", log_level, validation.LOG_LEVELS)
        validation.one_of("architecture", architecture.name, tuple(bundling.PLATFORMS))
        validation.memory(memory_size)
        if table is not None and table_name is not None:
            msg = f"table_name {table_name!r} has no effect on a table brought along: leave it out"
            raise ValueError(msg)

        data = tables.TableOptions(
            encryption_key=encryption_key,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
        )
        self.table: dynamodb.ITable = table or tables.approvals_table(self, data, name=table_name)
        self.audit_table: dynamodb.ITable = audit_table or tables.audit_table(self, data)
        self.topic: sns.ITopic = topic or sns.Topic(
            self, "Topic", enforce_ssl=True, master_key=encryption_key
        )
        for index, address in enumerate(addresses):
            sns.Subscription(
                self,
                f"Email{index}" if Token.is_unresolved(address) else f"Email-{address}",
                topic=self.topic,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=address,
            )

        self.dead_letter_queue: sqs.Queue = self._dead_letter_queue(encryption_key)
        self._permissions = Permissions(
            table=self.table,
            audit_table=self.audit_table,
            topic=self.topic,
            topic_key=topic.master_key if topic else encryption_key,
        )
        self._functions = Functions(
            scope=self,
            code=bundling.code(architecture),
            architecture=architecture,
            memory_size=memory_size,
            log_retention=log_retention,
            removal_policy=removal_policy,
        )
        self._environment = {
            Env.APPROVALS_TABLE_NAME: self.table.table_name,
            Env.AUDIT_TABLE_NAME: self.audit_table.table_name,
            Env.LOG_LEVEL: log_level,
        }
        stack = Stack.of(self)
        self._asking_environment = {
            **self._environment,
            Env.SNS_TOPIC_ARN: self.topic.topic_arn,
            Env.APPROVAL_TIMEOUT_SECONDS: _text(approval_timeout.to_seconds()),
            Env.MAX_APPROVAL_TIMEOUT_SECONDS: _text(
                approval_timeout.to_seconds() if longest is None else longest
            ),
            Env.APPROVAL_POLICY: stack.to_json_string(policy.to_dict()),
            Env.DEFAULT_APPROVERS: stack.to_json_string(list(names)),
            Env.APPROVER_GROUPS: stack.to_json_string(members),
            Env.RESUME_MODE: resume,
            Env.POLL_INTERVAL_SECONDS: _text(poll_interval.to_seconds()),
            Env.RETENTION_DAYS: _text(retention.to_days()),
        }
        workflow, own_policy = self._workflow_function(
            lambda_.DurableConfig(
                execution_timeout=execution_timeout, retention_period=execution_retention
            ),
        )
        self.workflow_function: lambda_.Function = workflow
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
        self.workflow_alias.node.add_dependency(own_policy)
        self.approval_function: lambda_.Function = self._approval_function(
            trust_authorizer=trust_authorizer
        )
        self.sweep_function: lambda_.Function = self._sweep_function(sweep_interval)
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

    def _dead_letter_queue(self, key: kms.IKey | None) -> sqs.Queue:
        return sqs.Queue(
            self,
            "DeadLetterQueue",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED if key is None else sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            retention_period=Duration.days(14),
        )

    def _workflow_function(
        self, durable_config: lambda_.DurableConfig
    ) -> tuple[lambda_.Function, iam.Policy]:
        role = self._functions.role(
            "Workflow", "Asks and waits: writes approvals, publishes to the topic"
        )
        self._permissions.ask(role)
        send_with(self.dead_letter_queue.encryption_master_key, role)
        return self._functions.durable(
            "Workflow",
            description="Asks people for approval and waits for their decision",
            handler=Handler.WORKFLOW,
            role=role,
            environment=self._asking_environment,
            durable_config=durable_config,
            dead_letter_queue=self.dead_letter_queue,
        )

    def _approval_function(self, *, trust_authorizer: bool) -> lambda_.Function:
        role = self._functions.role(
            "Approval", "Decides: reads and updates approvals, rings the workflow"
        )
        self._permissions.decide(role)
        self._reach_executions(role, [RING])
        return self._functions.plain(
            "Approval",
            description="Takes people's decisions",
            handler=Handler.APPROVAL_API,
            role=role,
            environment={
                **self._environment,
                Env.TRUST_AUTHORIZER: "true" if trust_authorizer else "false",
            },
        )

    def _sweep_function(self, interval: Duration) -> lambda_.Function:
        role = self._functions.role("Sweep", "Mends: closes what is overdue, rings again")
        self._permissions.mend(role)
        self._reach_executions(role, [LOOK, RING])
        function = self._functions.plain(
            "Sweep",
            description="Mends what was left behind",
            handler=Handler.SWEEP,
            role=role,
            environment=self._environment,
        )
        events.Rule(
            self,
            "SweepSchedule",
            schedule=events.Schedule.rate(interval),
            targets=[targets.LambdaFunction(function)],
        )
        return function

    def _reach_executions(self, role: iam.Role, actions: list[str]) -> None:
        allow(role, actions, executions_of(self.workflow_function.function_arn))
        nag.executions(role, self.workflow_function)


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
