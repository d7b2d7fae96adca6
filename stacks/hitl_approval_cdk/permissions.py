"""The resources of one deployment, and who may do what with them: exact actions, exact ARNs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from aws_cdk import IResource, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import IConstruct

from hitl_approval.contract import Env, Messages, Table
from hitl_approval_cdk.archive import DeployedArchive
from hitl_approval_cdk.gathered import GatheredRights
from hitl_approval_cdk.mail import DeployedMail
from hitl_approval_cdk.placement import differs, place_of
from hitl_approval_cdk.sign_in import DeployedSignIn

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
# A vote for somebody else is committed only while their delegation stands, which it checks.
_VOTE_ACTIONS = ("dynamodb:ConditionCheckItem", "dynamodb:GetItem", "dynamodb:UpdateItem")
_SEND_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")

COMPLETE_CALLBACK = "lambda:SendDurableExecutionCallbackSuccess"
GET_EXECUTION = "lambda:GetDurableExecution"
COMPLETE_TASK = "states:SendTaskSuccess"
FAIL_TASK = "states:SendTaskFailure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The tables, topics, keys and bus of one deployment; grants rights to them.

    Attributes:
        table: the approvals table.
        audit_table: the append-only audit table.
        topic: where everybody who subscribed is notified of each request.
        personal_topic: where each approver is sent their own link. Default: there is no page.
        inbox_table: what awaits each approver. Default: there is no stream to fill one from.
        messages_table: what each person is sent. Default: there is no page.
        event_bus: where transitions are published. Default: there is no stream to read them from.
        signing_key: the key that signs audit events. Default: they are not signed.
        mail: what sends mails by SES. Default: nothing does.
        sign_in: how browsers sign in. Default: an authorizer does it, or nobody can.
        slack_secret: the token and the signing secret of a Slack app. Default: there is none.
        archive: gets the hash of each audit event. Default: nothing does.
        webhook_secrets: of each webhook its address and its signing secret. Default: there are
            none.
        measured: whether the sweep measures how old pending requests are. Default: False.
    """

    table: dynamodb.ITable
    audit_table: dynamodb.ITable
    topic: sns.ITopic
    personal_topic: sns.ITopic | None = None
    inbox_table: dynamodb.ITable | None = None
    messages_table: dynamodb.ITable | None = None
    event_bus: events.IEventBus | None = None
    signing_key: kms.IKey | None = None
    mail: DeployedMail | None = None
    archive: DeployedArchive | None = None
    sign_in: DeployedSignIn | None = None
    slack_secret: secretsmanager.ISecret | None = None
    webhook_secrets: Sequence[secretsmanager.ISecret] = ()
    measured: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which functions find them."""
        variables = {
            Env.APPROVALS_TABLE_NAME: self.table.table_name,
            Env.AUDIT_TABLE_NAME: self.audit_table.table_name,
            Env.SNS_TOPIC_ARN: self.topic.topic_arn,
        }
        if self.personal_topic is not None:
            variables[Env.PERSONAL_TOPIC_ARN] = self.personal_topic.topic_arn
        if self.inbox_table is not None:
            variables[Env.INBOX_TABLE_NAME] = self.inbox_table.table_name
        if self.messages_table is not None:
            variables[Env.MESSAGES_TABLE_NAME] = self.messages_table.table_name
        if self.event_bus is not None:
            # A name means a bus of one's own account.
            far = differs(place_of(self.event_bus, "account"), place_of(self.table, "account"))
            bus = self.event_bus.event_bus_arn if far else self.event_bus.event_bus_name
            variables[Env.EVENT_BUS_NAME] = bus
        if self.signing_key is not None:
            variables[Env.SIGNING_KEY_ARN] = self.signing_key.key_arn
        if self.mail is not None:
            variables |= self.mail.variables
        if self.archive is not None:
            variables |= self.archive.variables
        return variables

    def request(self, grantee: iam.IGrantable) -> None:
        """What `wait_for_approval` does: write approvals, publish them to the topic."""
        allow(
            grantee,
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            self.table.table_arn,
        )
        # Of the audit it reads the events that an outcome is checked against.
        allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        allow(grantee, ["sns:Publish"], self.topic.topic_arn)
        self._use_table_keys(grantee)
        self._sign(grantee, "kms:Verify")
        send_with(self.topic.master_key, grantee)

    def decide(self, grantee: iam.IGrantable) -> None:
        """What the signed-in function does with the tables, and the approval function."""
        allow(grantee, _VOTE_ACTIONS, self.table.table_arn)
        allow(grantee, ["dynamodb:Query"], self._index(Table.STATUS_INDEX))
        allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        if self.inbox_table is not None:
            allow(grantee, ["dynamodb:Query"], self.inbox_table.table_arn)
        self._read_messages(grantee)
        self._use_table_keys(grantee)
        self._sign(grantee, "kms:Verify")

    def serve(self, grantee: iam.IGrantable) -> None:
        """What the signed-in function does: it also signs browsers in."""
        self.decide(grantee)
        if self.sign_in is None:
            return
        allow(grantee, ["kms:GenerateMac", "kms:VerifyMac"], self.sign_in.session_key.key_arn)
        if self.sign_in.client_secret is not None:
            _read_secret(self.sign_in.client_secret, grantee)

    def operate(self, grantee: iam.IGrantable) -> None:
        """What the approval function does with the tables: it also repairs messages."""
        self.decide(grantee)
        if self.messages_table is not None:
            allow(grantee, ["dynamodb:UpdateItem"], self.messages_table.table_arn)

    def vote(self, grantee: iam.IGrantable) -> None:
        """What the page function does with the tables."""
        self._write_votes(grantee)
        self._read_messages(grantee)

    def answer_slack(self, grantee: iam.IGrantable) -> None:
        """What the Slack function does: vote, by the word of the workspace that a secret opens."""
        self._write_votes(grantee)
        if self.slack_secret is not None:
            _read_secret(self.slack_secret, grantee)

    def repair(self, grantee: iam.IGrantable) -> None:
        """What the sweep does with the tables."""
        allow(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        allow(grantee, ["dynamodb:Query"], self._index(Table.ATTENTION_INDEX))
        if self.measured:
            allow(grantee, ["dynamodb:Query"], self._index(Table.STATUS_INDEX))
        allow(grantee, ["dynamodb:PutItem"], self.audit_table.table_arn)
        self._use_table_keys(grantee)
        self._sign(grantee)

    def publish(self, grantee: iam.IGrantable) -> None:
        """What the publisher does: read the audit's stream and the record, publish, fill inboxes.

        Raises:
            ValueError: the audit table has no stream, or there is no bus.
        """
        if self.audit_table.table_stream_arn is None or self.event_bus is None:
            msg = "the publisher needs an event_bus, and an audit_table with a stream: pass both"
            raise ValueError(msg)
        self._read_stream(grantee, self.audit_table.table_stream_arn)
        allow(grantee, ["dynamodb:GetItem"], self.table.table_arn)
        allow(grantee, ["events:PutEvents"], self.event_bus.event_bus_arn)
        if self.inbox_table is not None:
            allow(grantee, ["dynamodb:BatchWriteItem"], self.inbox_table.table_arn)
        if self.archive is not None:
            self.archive.write(grantee, self.table.table_name)
        self._use_table_keys(grantee)

    def deliver(self, grantee: iam.IGrantable) -> None:
        """What the messenger does: read the audit's stream and the record, note what it sends.

        Raises:
            ValueError: there is no topic of personal messages, or the audit table has no stream.
        """
        if (
            self.messages_table is None
            or self.personal_topic is None
            or self.audit_table.table_stream_arn is None
        ):
            msg = (
                "the messenger needs a messages_table, a personal_topic and an audit_table with "
                "a stream: pass all three"
            )
            raise ValueError(msg)
        self._read_stream(grantee, self.audit_table.table_stream_arn)
        # It puts on record who could not be notified, and reads what was asked and answered.
        allow(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        allow(
            grantee,
            ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
            self.messages_table.table_arn,
        )
        allow(
            grantee,
            ["dynamodb:Query"],
            f"{self.messages_table.table_arn}/index/{Messages.DUE_INDEX}",
        )
        allow(grantee, ["sns:Publish"], self.personal_topic.topic_arn)
        send_with(self.personal_topic.master_key, grantee)
        if self.mail is not None:
            self.mail.send(grantee)
        for secret in (self.slack_secret, *self.webhook_secrets):
            if secret is not None:
                _read_secret(secret, grantee)
        self._use_table_keys(grantee)
        self._sign(grantee)

    def _write_votes(self, grantee: iam.IGrantable) -> None:
        """Votes and comments: what was asked and answered stands in the audit trail."""
        allow(grantee, _VOTE_ACTIONS, self.table.table_arn)
        allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        self._use_table_keys(grantee)
        self._sign(grantee)

    def _read_messages(self, grantee: iam.IGrantable) -> None:
        if self.messages_table is not None:
            allow(grantee, ["dynamodb:Query"], self.messages_table.table_arn)

    def _read_stream(self, grantee: iam.IGrantable, stream_arn: str) -> None:
        allow(
            grantee,
            [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            stream_arn,
        )

    def _index(self, name: str) -> str:
        """ARN of an index of the approvals table."""
        return f"{self.table.table_arn}/index/{name}"

    def _sign(self, grantee: iam.IGrantable, *more: str) -> None:
        if self.signing_key is not None:
            self.signing_key.grant(grantee, "kms:Sign", *more)

    def _use_table_keys(self, grantee: iam.IGrantable) -> None:
        """Use of the tables' keys, as far as they are the customer's."""
        for key in (self.table.encryption_key, self.audit_table.encryption_key):
            if key is not None:
                key.grant(grantee, *_TABLE_KEY_ACTIONS)


@dataclass(frozen=True, slots=True)
class Resumer:
    """A function of the deployment that acts on what waits for a decision.

    Attributes:
        name: of the function.
        role: its role.
        actions: what it does with the executions.
        gathered: its rights on what waits, of each stack.
    """

    name: str
    role: iam.IRole
    actions: Sequence[str]
    gathered: list[GatheredRights] = field(default_factory=list)

    def rights(self, stack: Stack, mark: str) -> GatheredRights:
        """Its rights on what waits in a stack, made when first asked for.

        Args:
            stack: of what waits.
            mark: of the deployment: a stack may ask through several.
        """
        name = f"{self.name}{mark}"
        found = GatheredRights.find(stack, name)
        if found is None:
            found = GatheredRights(stack, name, self.role, self.actions)
            self.gathered.append(found)
        return found


def allow(grantee: iam.IGrantable, actions: Sequence[str], resource: str) -> iam.Grant:
    """Allow these actions on this resource."""
    return iam.Grant.add_to_principal(
        grantee=grantee, actions=list(actions), resource_arns=[resource]
    )


def _read_secret(secret: secretsmanager.ISecret, grantee: iam.IGrantable) -> None:
    # Of one that is imported by its name, Secrets Manager adds six characters to the ARN.
    arn = secret.secret_full_arn or f"{secret.secret_arn}-??????"
    allow(grantee, ["secretsmanager:GetSecretValue"], arn)
    if secret.encryption_key is not None:
        secret.encryption_key.grant(grantee, "kms:Decrypt")


def let_invoke(function: lambda_.IFunction, grantee: iam.IGrantable) -> iam.Grant:
    """Allow invoking a function: by the grantee's policy, or by the function's where it has none.

    As CDK does, but on this one ARN. Services, accounts, organizations and roles of other accounts
    have no policy in this app.
    """
    grant = allow(grantee, ["lambda:InvokeFunction"], function.function_arn)
    if grant.success and not _is_far(grantee, function):
        return grant
    return function.grant_invoke(grantee)


def _named(grantee: iam.IGrantable) -> str:
    principal = grantee.grant_principal
    if isinstance(principal, iam.PrincipalBase):
        return principal.to_string()
    return cast(IConstruct, principal).node.path


def _is_far(grantee: iam.IGrantable, resource: IResource) -> bool:
    theirs = grantee.grant_principal.principal_account
    return theirs is not None and differs(theirs, resource.env.account)


def let_read(
    grantee: iam.IGrantable, actions: Sequence[str], table: dynamodb.ITable, index: str = ""
) -> iam.Grant:
    """Allow reading a table, or an index of it, by the grantee's own policy.

    Raises:
        ValueError: it has none in this app, or belongs to another account.
    """
    grant = allow(grantee, actions, table.table_arn + index)
    if not grant.success or _is_far(grantee, table):
        msg = (
            f"{table.node.path} can be read by roles and users of its own account, got "
            f"{_named(grantee)}: grant it to a role here that they may assume"
        )
        raise ValueError(msg)
    return grant


def send_with(key: kms.IKey | None, grantee: iam.IGrantable) -> None:
    """Use of the key of a topic or a queue that is sent to."""
    if key is not None:
        key.grant(grantee, *_SEND_KEY_ACTIONS)


def executions_of(function_arn: str) -> str:
    """The versions of a function and their durable executions: what Lambda authorizes on."""
    return f"{function_arn}:*"
