"""`HitlApproval`: everything that one deployment of human approvals needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval.contract import EMAIL_CLAIM, Env
from hitl_approval_cdk import advice, bundling, outputs
from hitl_approval_cdk.archive import deployed_archive
from hitl_approval_cdk.asking import AskingFunction
from hitl_approval_cdk.attachment import Attachable, attach, runtime_layer
from hitl_approval_cdk.dead_letters import DeadLetterQueue
from hitl_approval_cdk.declaration import lists_options
from hitl_approval_cdk.deployment import ApprovalDeployment
from hitl_approval_cdk.encryption import let_logs_use
from hitl_approval_cdk.functions import (
    ApprovalFunction,
    DurableFunction,
    FunctionSettings,
    PackagedFunction,
)
from hitl_approval_cdk.gathered import count_policies
from hitl_approval_cdk.imported import ImportedApproval
from hitl_approval_cdk.mail import DeployedMail, deployed_mail
from hitl_approval_cdk.messenger import MessengerFunction
from hitl_approval_cdk.options import HitlApprovalOptions
from hitl_approval_cdk.page_api import DeployedPage, decision_functions, page_api
from hitl_approval_cdk.permissions import Resources
from hitl_approval_cdk.placement import check_brought
from hitl_approval_cdk.publisher import PublisherFunction
from hitl_approval_cdk.resolution import resolve
from hitl_approval_cdk.specifications import PAGE, REQUEST, SIGNED_IN, SLACK
from hitl_approval_cdk.sweep import SweepFunction
from hitl_approval_cdk.tables import ApprovalsTable, AuditTable, InboxTable, MessagesTable
from hitl_approval_cdk.topic import BroadcastTopic, subscribe_emails
from hitl_approval_cdk.watching import watch

if TYPE_CHECKING:
    from aws_cdk.aws_stepfunctions import QueryLanguage
    from aws_cdk.aws_stepfunctions_tasks import LambdaInvoke

    from hitl_approval.domain.form_source import FormSource


@lists_options
class HitlApproval(ApprovalDeployment):
    """Ask people, wait as long as it takes at no compute cost, keep a record of who decided.

    Deploys the approvals table, an append-only audit table, the broadcast topic, the durable
    workflow function (published versions, alias `live`), the approval function and what belongs to
    them, with one least-privilege role per function. Two of them fit in one stack. The `hitl`
    command finds it by its outputs: `--stack MyStack`, or `--stack MyStack/Approval` where there
    are several.

    ```python
    approval = HitlApproval(self, "Approval", notify_emails=["ann@example.com"])
    approval.grant_decide(reviewers)
    ```

    Args:
        scope: where it belongs.
        construct_id: its name there; part of the logical ids of tables that hold data.
        **options: see `hitl_approval_cdk.options.Options`.

    Attributes:
        table: the approvals table.
        audit_table: the append-only audit table.
        topic: where everybody who subscribed is notified of each request.
        workflow_function: the durable function; start its alias, never the function itself.
        workflow_alias: `live`: what callers start.
        request_function: what attached functions ask through: they have no right on the tables.
        approval_function: decides, lists and cancels.
        sweep_function: repairs on a schedule what a crash or an operator left behind.
        page: its `url`, its functions and the topic of personal links; None without one.
        publisher_function: publishes to the event bus and fills the inboxes; None when the audit
            table brought along has no stream.
        event_bus: the bus to which every transition is published; None in that case.
        inbox_table: what awaits each approver; None in that case.
        messages_table: what each person is sent of each request; None without a page.
        messenger_function: sends it; None without a page.
        dead_letter_queue: starts that failed every attempt, and where in the audit table's stream
            to find events that could not be published for a day.
        dashboard: its CloudWatch dashboard; None unless it is monitored with one.
        alarm_topic: what gets its alarms; None where nothing does.

    Raises:
        ValueError: a value that cannot work; the message names property, value and fix.
        TypeError: an option that does not exist.
    """

    def __init__(
        self, scope: Construct, construct_id: str, **options: Unpack[HitlApprovalOptions]
    ) -> None:
        super().__init__(scope, construct_id)
        chosen = resolve(options)
        check_brought(Stack.of(self), chosen)
        key = chosen["encryption_key"]
        if key is not None:
            let_logs_use(self, key)

        self.table: dynamodb.ITable = chosen["table"] or ApprovalsTable(
            self,
            "Table",
            table_name=chosen["table_name"],
            encryption_key=key,
            removal_policy=chosen["removal_policy"],
            deletion_protection=chosen["deletion_protection"],
        )
        self.audit_table: dynamodb.ITable = chosen["audit_table"] or AuditTable(
            self,
            "AuditTable",
            encryption_key=key,
            removal_policy=chosen["removal_policy"],
            deletion_protection=chosen["deletion_protection"],
        )
        self.topic: sns.ITopic = chosen["topic"] or BroadcastTopic(
            self, "Topic", encryption_key=key
        )
        subscribe_emails(self, self.topic, chosen["notify_emails"])
        api = page_api(self, chosen)
        self.event_bus: events.IEventBus | None = None
        self.inbox_table: dynamodb.Table | None = None
        if self.audit_table.table_stream_arn is not None:
            self.event_bus = chosen["event_bus"] or events.EventBus.from_event_bus_name(
                self, "DefaultBus", "default"
            )
            self.inbox_table = InboxTable(self, "InboxTable", encryption_key=key)
        self.messages_table: dynamodb.Table | None = None
        if api is not None:
            self.messages_table = MessagesTable(
                self, "MessagesTable", encryption_key=key, removal_policy=chosen["removal_policy"]
            )
        self.dead_letter_queue: sqs.Queue = (
            queue := DeadLetterQueue(self, "DeadLetterQueue", encryption_key=key)
        )
        self.signing_key: kms.IKey | None = chosen["signing_key"]

        settings = FunctionSettings(
            resources=Resources(
                table=self.table,
                audit_table=self.audit_table,
                topic=self.topic,
                personal_topic=api.topic if api else None,
                sign_in=api.sign_in if api else None,
                inbox_table=self.inbox_table,
                messages_table=self.messages_table,
                event_bus=self.event_bus,
                signing_key=self.signing_key,
                mail=deployed_mail(self, chosen["mail"]),
                archive=deployed_archive(self, chosen, self.dead_letter_queue),
                slack_secret=chosen["slack"].secret if chosen["slack"] else None,
                webhook_secrets=[each.secret for each in chosen["webhooks"] or ()],
                measured=chosen["monitoring"] is not None,
            ),
            options=chosen,
            variables=outputs.stack_variable(self)
            | (api.variables if api else {Env.SIGN_IN_CLAIM: EMAIL_CLAIM}),
            code=bundling.code(self, chosen["architecture"]),
        )
        workflow = DurableFunction(
            self, "WorkflowFunction", settings=settings, dead_letter_queue=queue
        )
        self.workflow_function: lambda_.Function = workflow
        self.workflow_alias: lambda_.Alias = workflow.publish(self, "LiveAlias")
        self.request_function: lambda_.Function = (
            request := PackagedFunction(
                self, "RequestFunction", specification=REQUEST, settings=settings
            )
        )
        approval = ApprovalFunction(self, "ApprovalFunction", settings=settings, workflow=workflow)
        self.approval_function: lambda_.Function = approval
        sweep = SweepFunction(self, "SweepFunction", settings=settings, workflow=workflow)
        self.sweep_function: lambda_.Function = sweep
        self._resumers = [request.resumer(), approval.resumer(), sweep.resumer()]
        self.page: DeployedPage | None = None
        if api is not None:
            made = decision_functions(self, api, settings, self.workflow_alias)
            self._resumers += [function.resumer() for function in made.values()]
            self.page = api.serve(
                links=made[PAGE], signed_in=made.get(SIGNED_IN), slack=made.get(SLACK)
            )
        self.publisher_function: lambda_.Function | None = None
        if self.event_bus is not None:
            self.publisher_function = PublisherFunction(
                self, "PublisherFunction", settings=settings, dead_letter_queue=queue
            )
        self.messenger_function: lambda_.Function | None = None
        if self.messages_table is not None:
            self.messenger_function = MessengerFunction(
                self, "MessengerFunction", settings=settings, dead_letter_queue=queue
            )
        self._answers = workflow.answers()
        count_policies(
            self, [(each.role, each.gathered) for each in (*self._resumers, self._answers)]
        )
        self._environment = settings.environment_to_wait(self)
        self._execution_timeout = chosen["execution_timeout"]
        self.dashboard, self.alarm_topic = watch(self, chosen)
        outputs.add(self, outputs.of(self))
        advice.warn(self, chosen, topic=self.topic)

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
            event_bus: the bus that it publishes to. Default: the account's default bus.

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
    def mail(self) -> DeployedMail | None:
        """What mails are sent by, with its SES `configuration_set`; None without `mail`."""
        return cast("DeployedMail | None", self.node.try_find_child("Mail"))

    @property
    def runtime_layer(self) -> lambda_.LayerVersion:
        """`hitl_approval` and what it imports, for functions of this stack; `attach` adds it."""
        return runtime_layer(Stack.of(self))

    def attach(self, function: lambda_.IFunction, *, layer: bool = True) -> None:
        """Let a durable function of yours call `wait_for_approval`.

        Gives it the environment (names with `HITL_` before them), the layer and the right to ask
        through its own alias of the request function: none on tables, topic or key. Each function
        that decides or repairs may complete its callbacks and no other function's. A release of
        this library publishes a new version of it.

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
            to=Attachable(
                deployment=self,
                request_function=self.request_function,
                environment=self._environment,
                resumers=self._resumers,
            ),
            layer=layer,
        )

    def function(
        self,
        construct_id: str,
        *,
        handler: str,
        entry: str | Path | None = None,
        scope: Construct | None = None,
        layer: bool = True,
        **options: Any,
    ) -> AskingFunction:
        """A durable function of yours that may call `wait_for_approval`: made and attached.

        It keeps its published versions and has the alias `live`.

        Args:
            construct_id: its name.
            handler: its entry point, `refund.handler` say.
            entry: the folder of its code, taken as it is; the runtime comes as a layer.
            scope: where it belongs. Default: this stack.
            layer: as for `attach`.
            **options: keywords of `lambda_.Function`, which win over what is set here.

        Raises:
            ValueError: no folder, or what `attach` refuses.
        """
        function = AskingFunction(
            scope or Stack.of(self),
            construct_id,
            handler=handler,
            entry=entry,
            execution_timeout=self._execution_timeout,
            options=options,
        )
        self.attach(function, layer=layer)
        return function

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
        sensitive: Sequence[str] | str | None = None,
        form: FormSource | None = None,
        editable: Sequence[str] | str | None = None,
        result_path: str | None = None,
        query_language: QueryLanguage | None = None,
        outputs: Any = None,
    ) -> LambdaInvoke:
        """A state of a Step Functions state machine that asks and waits.

        The state's output is `approved` (true or false), `decision` (`approved`, `rejected`,
        `timeout` or `cancelled`), `approval_id`, `comments`, `decided_by` and `decided_at`. A
        request that cannot be made fails the state with the error `InvalidRequest`. The state
        machine must be a standard one; synth lets the workflow answer it.

        Args:
            scope: where the state belongs.
            construct_id: the state's name.
            subject: one line that says what is asked; this and the following take JSON paths,
                `JsonPath.format("Refund {}", JsonPath.string_at("$.amount"))` say.
            requester: who asks.
            approvers: who may decide, or the path of a list. Default: the deployment's.
            timeout: time to decide. Default: the deployment's; the state itself has none then.
            context: what the approver sees. Default: nothing.
            sensitive: fields of the context that are masked in messages. Default: none.
            form: what an approver fills in, `input` of the output. Default: nothing.
            editable: what they may change of the context; `changes` of the output. Default: none.
            result_path: where in the state's input the output goes. Default: in its place.
            query_language: of the state: `QueryLanguage.JSONATA` in a state machine that speaks
                it, where the texts are `{% $states.input.agent %}`, say. Default: JSONPath.
            outputs: with JSONata, what the state puts out. Default: the output as it is.

        Raises:
            ValueError: no time to decide, no form, or a keyword of the other language.
        """
        from hitl_approval_cdk.step import step  # Step Functions are slow to import, and few ask

        return step(
            scope,
            construct_id,
            workflow_alias=self.workflow_alias,
            answers=self._answers,
            deployment=self,
            subject=subject,
            requester=requester,
            approvers=approvers,
            timeout=timeout,
            context=context,
            sensitive=sensitive,
            form=form,
            editable=editable,
            result_path=result_path,
            query_language=query_language,
            outputs=outputs,
        )
