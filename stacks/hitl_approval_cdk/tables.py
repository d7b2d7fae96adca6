"""The tables: the approvals, their append-only audit, and what awaits whom."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from hitl_approval.contract import Audit, Inbox, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """What all tables share."""

    encryption_key: kms.IKey | None
    removal_policy: RemovalPolicy
    deletion_protection: bool


def approvals_table(scope: Construct, options: TableOptions, *, name: str | None) -> dynamodb.Table:
    """One row per approval; what needs attention and what a list shows in indexes."""
    table = dynamodb.Table(
        scope,
        "Table",
        table_name=name,
        partition_key=_string(Table.PARTITION_KEY),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=Table.TTL,
        point_in_time_recovery_specification=_recovery(),
        encryption=_encryption(options),
        encryption_key=options.encryption_key,
        removal_policy=options.removal_policy,
        deletion_protection=options.deletion_protection,
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


def audit_table(scope: Construct, options: TableOptions) -> dynamodb.Table:
    """One item per audit event, written once."""
    return dynamodb.Table(
        scope,
        "AuditTable",
        partition_key=_string(Audit.PARTITION_KEY),
        sort_key=dynamodb.Attribute(name=Audit.SORT_KEY, type=dynamodb.AttributeType.NUMBER),
        stream=dynamodb.StreamViewType.NEW_IMAGE,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        point_in_time_recovery_specification=_recovery(),
        encryption=_encryption(options),
        encryption_key=options.encryption_key,
        removal_policy=options.removal_policy,
        deletion_protection=options.deletion_protection,
    )


def inbox_table(scope: Construct, options: TableOptions) -> dynamodb.Table:
    """One item for each approver and request that awaits them: a view, deleted with the stack."""
    return dynamodb.Table(
        scope,
        "InboxTable",
        partition_key=_string(Inbox.PARTITION_KEY),
        sort_key=_string(Inbox.SORT_KEY),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=Inbox.TTL,
        point_in_time_recovery_specification=_recovery(),
        encryption=_encryption(options),
        encryption_key=options.encryption_key,
        removal_policy=RemovalPolicy.DESTROY,
    )


def _encryption(options: TableOptions) -> dynamodb.TableEncryption:
    if options.encryption_key is None:
        return dynamodb.TableEncryption.AWS_MANAGED
    return dynamodb.TableEncryption.CUSTOMER_MANAGED


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _recovery() -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
