"""`HitlApproval`: everything that one deployment of human approvals needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import jsii
from aws_cdk import (
    Annotations,
    Aspects,
    Duration,
    IAspect,
    RemovalPolicy,
    Stack,
    Stage,
    Token,
)
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct, IConstruct

from hitl_approval.contract import (
    ALIAS,
    EMAIL_CLAIM,
    LOG_LEVELS,
    Env,
    Handler,
    Metrics,
    ResumeMode,
)
from hitl_approval.domain.policy import OnTimeout, Policy, Quorum
from hitl_approval_cdk import bundling, nag, outputs, tables, validation
from hitl_approval_cdk.asking import Asking
from hitl_approval_cdk.attachment import attach, runtime_layer
from hitl_approval_cdk.deployment import ApprovalDeployment
from hitl_approval_cdk.functions import Functions
from hitl_approval_cdk.imported import ImportedApproval
from hitl_approval_cdk.page import (
    ApprovalPage,
    Delivery,
    PageApi,
    deliveries,
)
from hitl_approval_cdk.permissions import (
    COMPLETE_CALLBACK,
    GET_EXECUTION,
    Permissions,
    Waker,
    allow,
    executions_of,
    send_with,
)

if TYPE_CHECKING:
    from aws_cdk.aws_stepfunctions import QueryLanguage
    from aws_cdk.aws_stepfunctions_tasks import LambdaInvoke

_SWEEP_TIME = Duration.minutes(4)
"""Of one sweep. Ours: it takes up thousands of records, and ends before the next by default."""


class HitlApproval(ApprovalDeployment):
    """Ask people, wait as long as it takes at no compute cost, keep a record of who decided.

    Deploys the approvals table, an append-only audit table, the notification topic, the durable
    workflow function (published versions, alias `live`) and the approval function, with one
    least-privilege role per function. Two of them fit in one stack. The `hitl` command finds it by
    its outputs: `--stack MyStack`, or `--stack MyStack/Approval` where there are several.

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
        page: the page where approvers decide by personal links, one for each named approver of a
            request. Default: none.
        deliver_to: how approvers get their personal links: `EmailApprover("ann@example.com")` or
            `SqsApprover("ann", queue)`, each only their own. Default: to nobody.
        resume: `"callback"` wakes the workflow at once; `"polling"` looks at the record every so
            often, for accounts that may not call Lambda's callback API. Default: `"callback"`.
        removal_policy: what happens to both tables when the stack is deleted. A retained table
            with a `table_name` has to be removed or imported before that name is deployed again.
            Default: `RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE`: kept, unless the deployment that
            made them is rolled back.
        encryption_key: key for the tables, the topic and the dead-letter queue, except those
            brought along. Default: keys that AWS owns and manages.
        signing_key: an asymmetric key (`ECC_NIST_P256`, `SIGN_VERIFY`) that signs each audit event,
            and by its hash all before, so that who may write the audit table cannot forge a trail.
            An event that cannot be signed is not written. Default: events are not signed.
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
        audit_table: an audit table to use, with the keys of `hitl_approval.contract.Audit`; with
            a stream of new images if events are wanted. Default: a new one.
        event_bus: the bus that is told of every transition. Default: the account's default bus.
        alarm_topic: a topic to tell when approvers could not be told, a decision did not resume its
            workflow, a request was not closed in time, or something reached the dead-letter
            queue. Default: no alarms.
        topic: a topic to publish to. Default: a new one that refuses unencrypted connections.
        table_name: physical name of the approvals table. Default: a generated one.
        deletion_protection: whether DynamoDB refuses to delete the tables. Default: False.
        trust_authorizer: whether the approval function is reached only through an API whose
            authorizer can be believed; who may invoke it directly could otherwise write any
            identity into the event. Who such an API sends and `page.sign_in_claim` does not name
            is refused. Default: False.
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
        page: the page: its `url`, `function` and the `topic` of messages for one approver each;
            None without one.
        publisher_function: publishes on the event bus; None when the audit table brought along
            has no stream.
        event_bus: the bus that is told; None in that case.
        inbox_table: what awaits each approver; None in that case.
        dead_letter_queue: starts that failed every attempt, and where in the audit table's stream
            to find events that the bus did not take for a day.

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
        page: ApprovalPage | None = None,
        deliver_to: Sequence[Delivery] = (),
        resume: ResumeMode = "callback",
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        encryption_key: kms.IKey | None = None,
        signing_key: kms.IKey | None = None,
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
        event_bus: events.IEventBus | None = None,
        alarm_topic: sns.ITopic | None = None,
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
        sweep_interval = sweep_interval or Duration.minutes(5)
        architecture = architecture or lambda_.Architecture.ARM_64

        validation.resources(
            table=table,
            audit_table=audit_table,
            topic=topic,
            alarm_topic=alarm_topic,
            event_bus=event_bus,
            encryption_key=encryption_key,
            signing_key=signing_key,
            architecture=architecture,
            log_retention=log_retention,
        )
        quorum = quorum or Quorum.any_one()
        validation.rules(
            quorum=quorum,
            rejections_needed=rejections_needed,
            on_timeout=on_timeout,
            allow_self_approval=allow_self_approval,
            require_verified_identity=require_verified_identity,
            require_comment_on_rejection=require_comment_on_rejection,
            deletion_protection=deletion_protection,
            trust_authorizer=trust_authorizer,
        )
        asking = Asking.settle(
            approval_timeout=approval_timeout,
            execution_timeout=execution_timeout,
            execution_retention=execution_retention,
            resume=resume,
            poll_interval=poll_interval,
            retention=retention,
            policy=Policy(
                quorum=quorum,
                rejections_needed=rejections_needed,
                on_timeout=on_timeout or OnTimeout.timeout(),
                allow_self_approval=allow_self_approval,
                require_verified_identity=require_verified_identity,
                require_comment_on_rejection=require_comment_on_rejection,
            ),
            approvers=approvers,
            groups=groups,
        )
        validation.sweep_minutes(sweep_interval)
        validation.signing_key(signing_key)
        told = deliveries(deliver_to, page=page)
        validation.removal(removal_policy, deletion_protection=deletion_protection)
        validation.one_of("log_level", log_level, LOG_LEVELS)
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
        self._subscribe(validation.emails(notify_emails))
        self.page: PageApi | None = None
        if page is not None:
            self.page = PageApi(
                self,
                "Page",
                page=page,
                deliver_to=told,
                encryption_key=encryption_key,
                log_retention=log_retention,
                removal_policy=removal_policy,
            )
        self.event_bus: events.IEventBus | None = self._told(event_bus)
        self.inbox_table: dynamodb.Table | None = self._inbox(data)
        self.dead_letter_queue: sqs.Queue = self._dead_letter_queue(encryption_key)
        self._permissions = Permissions(
            table=self.table,
            audit_table=self.audit_table,
            topic=self.topic,
            topic_key=topic.master_key if topic else encryption_key,
            personal_topic=self.page.topic if self.page else None,
            personal_topic_key=encryption_key,
            signing_key=signing_key,
            inbox_table=self.inbox_table,
        )
        self._functions = Functions(
            scope=self,
            code=bundling.code(self, architecture),
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
        if signing_key is not None:
            self._environment[Env.SIGNING_KEY_ARN] = signing_key.key_arn
        self._asking_environment = {
            **self._environment,
            **asking.environment(Stack.of(self)),
            Env.SNS_TOPIC_ARN: self.topic.topic_arn,
            **(self.page.environment if self.page else {}),
        }
        self._wakers: list[Waker] = []
        workflow, own_policy = self._workflow_function(asking.durable_config)
        self.workflow_function: lambda_.Function = workflow
        self.workflow_alias: lambda_.Alias = self._live_alias(own_policy)
        self.approval_function: lambda_.Function = self._approval_function(
            trust_authorizer=trust_authorizer
        )
        self.sweep_function: lambda_.Function = self._sweep_function(sweep_interval)
        self._serve()
        self.signing_key: kms.IKey | None = signing_key
        self.publisher_function: lambda_.Function | None = None
        if self.event_bus is not None:
            self.publisher_function = self._publisher_function(self.event_bus)
        if alarm_topic is not None:
            self._add_alarms(alarm_topic, sweep_interval)
        outputs.add(self)
        self._warn(asking.policy, approvers, nobody_told=not (topic or notify_emails or told))

    def _subscribe(self, addresses: Sequence[str]) -> None:
        for index, address in enumerate(addresses):
            sns.Subscription(
                self,
                f"Email{index}" if Token.is_unresolved(address) else f"Email-{address}",
                topic=self.topic,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=address,
            )

    def _live_alias(self, own_policy: iam.Policy) -> lambda_.Alias:
        alias = lambda_.Alias(
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
        alias.node.add_dependency(own_policy)
        return alias

    def _told(self, event_bus: events.IEventBus | None) -> events.IEventBus | None:
        """The bus that hears of every transition; None when there is no stream to hear it from."""
        if self.audit_table.table_stream_arn is not None:
            return event_bus or events.EventBus.from_event_bus_name(self, "DefaultBus", "default")
        if event_bus is not None:
            msg = (
                "event_bus would never hear of anything, because audit_table has no stream: give "
                "that table stream=StreamViewType.NEW_IMAGE, or leave event_bus out"
            )
            raise ValueError(msg)
        return None

    def _inbox(self, data: tables.TableOptions) -> dynamodb.Table | None:
        """What awaits each approver; None when there is no stream to fill it from."""
        if self.event_bus is not None:
            return tables.inbox_table(self, data)
        if self.page is not None and self.page.sign_in is not None:
            msg = (
                "page.sign_in needs an inbox, which is filled from audit_table's stream: give that "
                "table stream=StreamViewType.NEW_IMAGE, or leave sign_in out"
            )
            raise ValueError(msg)
        return None

    @property
    def _answering_environment(self) -> dict[str, str]:
        if self.inbox_table is None:
            return self._environment
        return {**self._environment, Env.INBOX_TABLE_NAME: self.inbox_table.table_name}

    def _serve(self) -> None:
        """Let the page's API be answered."""
        if self.page is None:
            return
        self.page.serve(self._page_function(self.page))
        if self.page.sign_in is not None:
            self.page.serve_signed_in(self._signed_in_function(self.page))

    def _warn(self, policy: Policy, approvers: Sequence[str] | None, *, nobody_told: bool) -> None:
        if policy.quorum.kind == "everyone" and approvers is None:
            Annotations.of(self).add_warning_v2(
                "hitl-approval:quorumWithoutApprovers",
                "quorum is everyone but no approvers are configured: every request must name its "
                "own, or it is refused",
            )
        if nobody_told:
            topic = cast(sns.CfnTopic, self.topic.node.default_child)
            # Of one leaf: an aspect of the construct would be called for each of its children.
            Aspects.of(topic).add(_WarnIfNobodySubscribed(self, topic))

    @classmethod
    def from_attributes(
        cls,
        scope: Construct,
        construct_id: str,
        *,
        table_arn: str,
        audit_table_arn: str,
        topic_arn: str,
        workflow_alias_arn: str,
        approval_function_arn: str,
        encryption_key: kms.IKey | None = None,
        signing_key: kms.IKey | None = None,
        event_bus: events.IEventBus | None = None,
    ) -> ApprovalDeployment:
        """A deployment made in another stack or app of the same account and region.

        Within one app pass the `HitlApproval` itself; this is for what CloudFormation outputs say.

        Args:
            scope: where it belongs.
            construct_id: its name there.
            table_arn: the approvals table.
            audit_table_arn: the audit table.
            topic_arn: the topic.
            workflow_alias_arn: what callers start, the output `WorkflowFunctionArn`.
            approval_function_arn: the approval function.
            encryption_key: the key of its tables. Default: none of the customer's.
            signing_key: the key that signs its audit events. Default: none.
            event_bus: the bus that it tells. Default: the account's default bus.

        Raises:
            ValueError: an ARN that is none, or of another account or region than the stack.
        """
        return ImportedApproval(
            scope,
            construct_id,
            table_arn=table_arn,
            audit_table_arn=audit_table_arn,
            topic_arn=topic_arn,
            workflow_alias_arn=workflow_alias_arn,
            approval_function_arn=approval_function_arn,
            encryption_key=encryption_key,
            signing_key=signing_key,
            event_bus=event_bus,
        )

    @property
    def runtime_layer(self) -> lambda_.LayerVersion:
        """`hitl_approval` and what it imports, for functions of this stack; `attach` adds it."""
        return runtime_layer(Stack.of(self))

    def attach(self, function: lambda_.IFunction, *, layer: bool = True) -> None:
        """Let a durable function of yours call `wait_for_approval`.

        Gives it the environment (names with `HITL_` before them), the layer and the rights, and
        each function of the deployment that decides or mends the right to ring its callbacks and no
        other function's. A release of this library publishes a new version of it.

        Args:
            function: durable, defined in this app, in this stack or in one that depends on it.
            layer: whether it gets the runtime as a layer; False when its own bundle holds
                `hitl-approval`.

        Raises:
            ValueError: the function is imported, not durable, not on a runtime for durable
                functions, attached already, ends before a request's time is up, or has a variable
                that this one sets.
        """
        attach(
            function,
            to=self,
            wakers=self._wakers,
            permissions=self._permissions,
            environment=self._asking_environment,
            layer=layer,
        )

    def step(
        self,
        scope: Construct,
        construct_id: str,
        *,
        subject: str,
        requester: str,
        approvers: Sequence[str] | str | None = None,
        timeout: Duration | None = None,
        context: Mapping[str, Any] | str | None = None,
        result_path: str | None = None,
        query_language: QueryLanguage | None = None,
        outputs: Any = None,
    ) -> LambdaInvoke:
        """A state of a Step Functions state machine that asks and waits.

        The state's output is `approved` (true or false), `decision` (`approved`, `rejected`,
        `timeout` or `cancelled`), `approval_id`, `comments`, `decided_by` and `decided_at`: a
        rejection is a result, for a Choice to look at. A request that cannot be made fails the
        state with the error `InvalidRequest`. The state machine must be a standard one, and is
        allowed to be answered by the workflow when the app is synthesized.

        Args:
            scope: where the state belongs.
            construct_id: the state's name.
            subject: one line that says what is asked; this and the following take JSON paths,
                `JsonPath.format("Refund {}", JsonPath.string_at("$.amount"))` say.
            requester: who asks.
            approvers: who may decide, or the path of a list. Default: the deployment's.
            timeout: time to decide, whole seconds. Default: the deployment's, and then no timeout
                of the state itself.
            context: what the approver sees. Default: nothing.
            result_path: where in the state's input the output goes. Default: in its place.
            query_language: of the state: `QueryLanguage.JSONATA` in a state machine that speaks
                it, where the texts are `{% $states.input.agent %}`, say. Default: JSONPath.
            outputs: with JSONata, what the state puts out. Default: the output as it is.

        Raises:
            ValueError: the timeout is no time to decide, or a keyword of the other language.
        """
        from hitl_approval_cdk.step import step  # Step Functions are slow to import, and few ask

        return step(
            scope,
            construct_id,
            workflow_alias=self.workflow_alias,
            workflow_role=cast(iam.IRole, self.workflow_function.role),
            mark=self.node.addr,
            subject=subject,
            requester=requester,
            approvers=approvers,
            timeout=timeout,
            context=context,
            result_path=result_path,
            query_language=query_language,
            outputs=outputs,
        )

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
        self._wakes("Approval", role, [COMPLETE_CALLBACK])
        return self._functions.plain(
            "Approval",
            description="Takes people's decisions",
            handler=Handler.APPROVAL_API,
            role=role,
            environment={
                **self._answering_environment,
                Env.TRUST_AUTHORIZER: "true" if trust_authorizer else "false",
                Env.SIGN_IN_CLAIM: self.page.sign_in_claim if self.page else EMAIL_CLAIM,
            },
        )

    def _sweep_function(self, interval: Duration) -> lambda_.Function:
        role = self._functions.role("Sweep", "Mends: closes what is overdue, rings again")
        self._permissions.mend(role)
        self._wakes("Sweep", role, [GET_EXECUTION, COMPLETE_CALLBACK])
        function = self._functions.plain(
            "Sweep",
            description="Mends what was left behind",
            handler=Handler.SWEEP,
            role=role,
            environment=self._environment,
            timeout=_SWEEP_TIME,
        )
        events.Rule(
            self,
            "SweepSchedule",
            schedule=events.Schedule.rate(interval),
            targets=[targets.LambdaFunction(function)],
        )
        return function

    def _page_function(self, page: PageApi) -> lambda_.Function:
        role = self._functions.role("Page", "Decides by personal links: reads, votes, rings")
        self._permissions.vote(role)
        self._wakes("Page", role, [COMPLETE_CALLBACK])
        return self._functions.plain(
            "Page",
            description="Shows approvers what is asked and takes their decisions",
            handler=Handler.PAGE,
            role=role,
            environment={**self._environment, Env.PAGE_URL: page.url},
        )

    def _signed_in_function(self, page: PageApi) -> lambda_.Function:
        role = self._functions.role("SignedIn", "Decides for signed-in people, shows their inbox")
        self._permissions.decide(role)
        self._wakes("SignedIn", role, [COMPLETE_CALLBACK])
        return self._functions.plain(
            "SignedIn",
            description="Shows signed-in people their inbox and takes their decisions",
            handler=Handler.SIGNED_IN,
            role=role,
            environment={
                **self._answering_environment,
                Env.PAGE_URL: page.url,
                Env.SIGN_IN_CLAIM: page.sign_in_claim,
            },
        )

    def _publisher_function(self, event_bus: events.IEventBus) -> lambda_.Function:
        role = self._functions.role("Publisher", "Tells: reads the audit's stream, puts events")
        self._permissions.publish(
            role,
            stream_arn=cast(str, self.audit_table.table_stream_arn),
            event_bus_arn=event_bus.event_bus_arn,
        )
        allow(role, ["sqs:SendMessage"], self.dead_letter_queue.queue_arn)
        send_with(self.dead_letter_queue.encryption_master_key, role)
        function = self._functions.plain(
            "Publisher",
            description="Tells the event bus and the inboxes of every transition",
            handler=Handler.PUBLISHER,
            role=role,
            environment={
                **self._answering_environment,
                Env.EVENT_BUS_NAME: event_bus.event_bus_name,
            },
        )
        lambda_.EventSourceMapping(
            self,
            "PublisherStream",
            target=function,
            event_source_arn=self.audit_table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=100,
            filters=[lambda_.FilterCriteria.filter({"eventName": ["INSERT"]})],
            report_batch_item_failures=True,
            bisect_batch_on_error=True,
            # Tried again until the stream forgets, a day later; then noted in the queue.
            on_failure=_FailedBatches(self.dead_letter_queue),
        )
        return function

    def _add_alarms(self, topic: sns.ITopic, interval: Duration) -> None:
        for construct_id, metric, what in (
            (
                "NotificationFailedAlarm",
                self.metric_notification_failed(),
                "Approvers could not be told of a request",
            ),
            (
                "DecidedNotResumedAlarm",
                self.metric_decided_not_resumed(),
                "A decision did not resume its workflow",
            ),
            (
                "PendingPastExpiryAlarm",
                self.metric(Metrics.PENDING_PAST_EXPIRY),
                "A request was not closed by its workflow in time",
            ),
            (
                "AlteredRecordAlarm",
                self.metric(Metrics.ALTERED_RECORD),
                "A row is not what its audit trail says, and nobody acted on it: hitl audit verify",
            ),
            (
                "PassedOverAlarm",
                self.metric(Metrics.PASSED_OVER),
                "The sweep or the relay could not take something: their logs say what",
            ),
            (
                "SweepFailedAlarm",
                self.sweep_function.metric_errors(),
                "The sweep failed: its log says why",
            ),
            (
                "DeadLetterAlarm",
                self.dead_letter_queue.metric_approximate_number_of_messages_visible(),
                "A start or an event failed every attempt: look into the dead-letter queue",
            ),
        ):
            alarm = metric.create_alarm(
                self,
                construct_id,
                alarm_description=what,
                threshold=0,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            alarm.add_alarm_action(SnsAction(topic))
        if interval.is_unresolved():
            return  # nobody can say here how long two of its periods are
        absent = self.sweep_function.metric_invocations(period=interval).create_alarm(
            self,
            "SweepAbsentAlarm",
            alarm_description="The sweep has not run for two of its periods: is its schedule on?",
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=2,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        absent.add_alarm_action(SnsAction(topic))

    def _wakes(self, name: str, role: iam.Role, actions: Sequence[str]) -> None:
        """Let a function reach the workflow's executions, and those of whatever is attached."""
        allow(role, actions, executions_of(self.workflow_function.function_arn))
        nag.executions(role, self.workflow_function)
        self._wakers.append(Waker(name, role, actions))


@jsii.implements(lambda_.IEventSourceDlq)
class _FailedBatches:
    """A queue as a stream's dead-letter queue; CDK's own grants wildcards on its key."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self.queue = queue

    def bind(self, _: object, __: object) -> lambda_.DlqDestinationConfig:
        """Where to; the rights are granted where the role is."""
        return lambda_.DlqDestinationConfig(destination=self.queue.queue_arn)


@jsii.implements(IAspect)
class _WarnIfNobodySubscribed:
    """Looks when the whole app is there: subscriptions are often added after the construct.

    It compares names as they are written and resolves none: what stands in the app of another
    account cannot be resolved for ours. The stages of an app do not refer to each other.
    """

    def __init__(self, approval: HitlApproval, topic: sns.CfnTopic) -> None:
        self.approval = approval
        self.arns = {approval.topic.topic_arn, topic.ref, topic.attr_topic_arn}

    def visit(self, _: IConstruct) -> None:
        stage = Stage.of(self.approval) or self.approval.node.root
        for other in stage.node.find_all():
            if isinstance(other, sns.CfnSubscription) and other.topic_arn in self.arns:
                return
        Annotations.of(self.approval).add_warning_v2(
            "hitl-approval:nobodyIsSubscribed",
            "nobody hears of approval requests: pass notify_emails, or page and deliver_to, or "
            "subscribe to the topic",
        )
