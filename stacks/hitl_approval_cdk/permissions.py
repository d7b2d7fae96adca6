"""Who may do what with one deployment: exact actions on exact resources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from hitl_approval.contract import Table

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

COMPLETE_CALLBACK = "lambda:SendDurableExecutionCallbackSuccess"
GET_EXECUTION = "lambda:GetDurableExecution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Rights to one deployment's tables, topic and keys.

    Attributes:
        table: the approvals table.
        audit_table: the append-only audit table.
        topic: where approvers are told.
        topic_key: the key of the topic, if it has one of the customer's.
        personal_topic: where each approver is sent their own link, if there is a page.
        personal_topic_key: the key of that topic, if it has one of the customer's.
        signing_key: the key that signs audit events, if they are signed.
        inbox_table: what awaits each approver, if there is a stream to fill it from.
    """

    table: dynamodb.ITable
    audit_table: dynamodb.ITable
    topic: sns.ITopic
    topic_key: kms.IKey | None
    personal_topic: sns.ITopic | None
    personal_topic_key: kms.IKey | None
    signing_key: kms.IKey | None
    inbox_table: dynamodb.ITable | None

    def ask(self, grantee: iam.IGrantable) -> None:
        """What `wait_for_approval` does: write approvals, tell approvers."""
        allow(
            grantee,
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            self.table.table_arn,
        )
        # Reads of the audit what the end of a record is held against.
        allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        allow(grantee, ["sns:Publish"], self.topic.topic_arn)
        self.use_table_keys(grantee)
        self._sign(grantee)
        send_with(self.topic_key, grantee)
        if self.personal_topic is not None:
            allow(grantee, ["sns:Publish"], self.personal_topic.topic_arn)
            send_with(self.personal_topic_key, grantee)

    def decide(self, grantee: iam.IGrantable) -> None:
        """What the approval function does with the tables; and that of signed-in people."""
        allow(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        allow(grantee, ["dynamodb:Query"], self.index(Table.STATUS_INDEX))
        allow(grantee, ["dynamodb:PutItem", "dynamodb:Query"], self.audit_table.table_arn)
        if self.inbox_table is not None:
            allow(grantee, ["dynamodb:Query"], self.inbox_table.table_arn)
        self.use_table_keys(grantee)
        self._sign(grantee, "kms:Verify")

    def vote(self, grantee: iam.IGrantable) -> None:
        """What the page does with the tables."""
        allow(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        allow(grantee, ["dynamodb:PutItem"], self.audit_table.table_arn)
        self.use_table_keys(grantee)
        self._sign(grantee)

    def mend(self, grantee: iam.IGrantable) -> None:
        """What the sweep does with the tables."""
        allow(grantee, ["dynamodb:GetItem", "dynamodb:UpdateItem"], self.table.table_arn)
        allow(grantee, ["dynamodb:Query"], self.index(Table.ATTENTION_INDEX))
        allow(grantee, ["dynamodb:PutItem"], self.audit_table.table_arn)
        self.use_table_keys(grantee)
        self._sign(grantee)

    def publish(self, grantee: iam.IGrantable, *, stream_arn: str, event_bus_arn: str) -> None:
        """What the relay does: read the audit's stream and the record, put events, file."""
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
        allow(grantee, ["dynamodb:GetItem"], self.table.table_arn)
        allow(grantee, ["events:PutEvents"], event_bus_arn)
        if self.inbox_table is not None:
            allow(grantee, ["dynamodb:BatchWriteItem"], self.inbox_table.table_arn)
        self.use_table_keys(grantee)

    def index(self, name: str) -> str:
        """ARN of an index of the approvals table."""
        return f"{self.table.table_arn}/index/{name}"

    def _sign(self, grantee: iam.IGrantable, *more: str) -> None:
        if self.signing_key is not None:
            self.signing_key.grant(grantee, "kms:Sign", *more)

    def use_table_keys(self, grantee: iam.IGrantable) -> None:
        """Use of the tables' keys, as far as they are the customer's."""
        for key in (self.table.encryption_key, self.audit_table.encryption_key):
            if key is not None:
                key.grant(grantee, *_TABLE_KEY_ACTIONS)


@dataclass(frozen=True, slots=True)
class Waker:
    """A function of the deployment that reaches executions which wait: ours and attached ones'.

    Attributes:
        name: of the function.
        role: its role.
        actions: what it does with the executions.
    """

    name: str
    role: iam.IRole
    actions: Sequence[str]


def allow(grantee: iam.IGrantable, actions: Sequence[str], resource: str) -> iam.Grant:
    """Allow these actions on this resource."""
    return iam.Grant.add_to_principal(
        grantee=grantee, actions=list(actions), resource_arns=[resource]
    )


def send_with(key: kms.IKey | None, grantee: iam.IGrantable) -> None:
    """Use of the key of a topic or a queue that is sent to."""
    if key is not None:
        key.grant(grantee, *_SEND_KEY_ACTIONS)


def executions_of(function_arn: str) -> str:
    """The versions of a function and their durable executions: what Lambda authorizes on."""
    return f"{function_arn}:*"
