"""The tables: the approvals, their append-only audit, and what awaits whom."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from hitl_approval.contract import Audit, Inbox, Messages, Table


class ApprovalsTable(dynamodb.Table):
    """One row per approval; two indexes, by status and by what needs attention.

    Args:
        scope: where it belongs.
        construct_id: its name there; part of its logical id.
        table_name: its physical name. Default: a generated one.
        encryption_key: Default: a key that AWS manages.
        removal_policy: Default: kept, unless the deployment that made it is rolled back.
        deletion_protection: whether DynamoDB refuses to delete it. Default: False.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table_name: str | None = None,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            table_name=table_name,
            partition_key=_string(Table.PARTITION_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=Table.TTL,
            point_in_time_recovery_specification=_recovery(),
            encryption=_encryption(encryption_key),
            encryption_key=encryption_key,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
        )
        self.add_global_secondary_index(
            index_name=Table.STATUS_INDEX,
            partition_key=_string(Table.STATUS),
            sort_key=_string(Table.CREATED_AT),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(Table.LIST_ATTRIBUTES),
        )
        self.add_global_secondary_index(
            index_name=Table.ATTENTION_INDEX,
            partition_key=_string(Table.ATTENTION),
            sort_key=_string(Table.ATTENTION_AT),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(Table.ATTENTION_ATTRIBUTES),
        )


class AuditTable(dynamodb.Table):
    """One item per audit event, written once; its stream feeds the publisher.

    Args:
        scope: where it belongs.
        construct_id: its name there; part of its logical id.
        encryption_key: Default: a key that AWS manages.
        removal_policy: Default: kept, unless the deployment that made it is rolled back.
        deletion_protection: whether DynamoDB refuses to delete it. Default: False.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        deletion_protection: bool = False,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=_string(Audit.PARTITION_KEY),
            sort_key=dynamodb.Attribute(name=Audit.SORT_KEY, type=dynamodb.AttributeType.NUMBER),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=_recovery(),
            encryption=_encryption(encryption_key),
            encryption_key=encryption_key,
            removal_policy=removal_policy,
            deletion_protection=deletion_protection,
        )


class InboxTable(dynamodb.Table):
    """One item for each approver and request that awaits them: a view, deleted with the stack.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        encryption_key: Default: a key that AWS manages.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey | None = None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=_string(Inbox.PARTITION_KEY),
            sort_key=_string(Inbox.SORT_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=Inbox.TTL,
            point_in_time_recovery_specification=_recovery(),
            encryption=_encryption(encryption_key),
            encryption_key=encryption_key,
            removal_policy=RemovalPolicy.DESTROY,
        )


class MessagesTable(dynamodb.Table):
    """One item for each message to one person, gone some time after its request has expired.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        encryption_key: Default: a key that AWS manages.
        removal_policy: Default: kept, unless the deployment that made it is rolled back.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=_string(Messages.PARTITION_KEY),
            sort_key=_string(Messages.SORT_KEY),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=Messages.TTL,
            point_in_time_recovery_specification=_recovery(),
            encryption=_encryption(encryption_key),
            encryption_key=encryption_key,
            removal_policy=removal_policy,
        )
        self.add_global_secondary_index(
            index_name=Messages.DUE_INDEX,
            partition_key=dynamodb.Attribute(
                name=Messages.SHARD, type=dynamodb.AttributeType.NUMBER
            ),
            sort_key=_string(Messages.DUE),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )


def _encryption(key: kms.IKey | None) -> dynamodb.TableEncryption:
    if key is None:
        return dynamodb.TableEncryption.AWS_MANAGED
    return dynamodb.TableEncryption.CUSTOMER_MANAGED


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _recovery() -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
