"""A deployment made elsewhere: its grants, metrics and events, by its ARNs."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from hitl_approval_cdk.deployment import ApprovalDeployment


class ImportedApproval(ApprovalDeployment):
    """What `HitlApproval.from_attributes` returns, where its arguments are described."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table_arn: str,
        audit_table_arn: str,
        topic_arn: str,
        workflow_alias_arn: str,
        approval_function_arn: str,
        encryption_key: kms.IKey | None,
        signing_key: kms.IKey | None,
        event_bus: events.IEventBus | None,
    ) -> None:
        super().__init__(scope, construct_id)
        for name, arn in (
            ("table_arn", table_arn),
            ("audit_table_arn", audit_table_arn),
            ("topic_arn", topic_arn),
            ("workflow_alias_arn", workflow_alias_arn),
            ("approval_function_arn", approval_function_arn),
        ):
            _check_account(self, name, arn)
        self.table = dynamodb.Table.from_table_attributes(
            self, "Table", table_arn=table_arn, encryption_key=encryption_key
        )
        self.audit_table = dynamodb.Table.from_table_attributes(
            self, "AuditTable", table_arn=audit_table_arn, encryption_key=encryption_key
        )
        self.topic = sns.Topic.from_topic_arn(self, "Topic", topic_arn)
        self.workflow_alias = lambda_.Function.from_function_arn(
            self, "LiveAlias", workflow_alias_arn
        )
        self.approval_function = lambda_.Function.from_function_arn(
            self, "ApprovalFunction", approval_function_arn
        )
        self.signing_key = signing_key
        self.event_bus = event_bus or events.EventBus.from_event_bus_name(
            self, "DefaultBus", "default"
        )


def _check_account(scope: Construct, name: str, arn: str) -> None:
    if Token.is_unresolved(arn):
        return
    stack = Stack.of(scope)
    try:
        parts = stack.split_arn(arn, ArnFormat.SLASH_RESOURCE_NAME)
    except Exception as error:  # jsii's own, whatever it is
        msg = f"{name} must be an ARN, got {arn!r}"
        raise ValueError(msg) from error
    if not Token.is_unresolved(stack.account) and parts.account != stack.account:
        msg = (
            f"{name} belongs to account {parts.account}, this stack to {stack.account}: a "
            f"deployment grants within its own account only; deploy HitlApproval in this one"
        )
        raise ValueError(msg)
    if not Token.is_unresolved(stack.region) and parts.region != stack.region:
        msg = f"{name} is in {parts.region}, this stack in {stack.region}: import it in its region"
        raise ValueError(msg)
