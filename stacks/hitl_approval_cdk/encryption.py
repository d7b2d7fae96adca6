"""A customer's key for what is stored besides the tables: logs, variables, durable executions."""

from __future__ import annotations

from typing import cast

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

LOG_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What CloudWatch Logs asks of a key's policy, without wildcards."""


def let_logs_use(scope: Construct, key: kms.IKey) -> None:
    """Let CloudWatch Logs use a key for log groups of this account.

    Naming the groups would lead CloudFormation in a circle: they are named after the functions,
    whose variables the key encrypts.

    Args:
        scope: the deployment; warned at where the key's policy is not made in this app.
        key: of the log groups.
    """
    stack = Stack.of(scope)
    service = f"logs.{stack.region}.amazonaws.com"
    added = key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(service)],
            actions=list(LOG_ACTIONS),
            resources=["*"],  # in a key's policy: this key
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                        service="logs", resource="*"
                    )
                }
            },
        )
    ).statement_added
    if not added:
        Annotations.of(scope).add_warning_v2(
            "hitl-approval:logsKeyNotOurs",
            f"the policy of encryption_key {key.node.path} is not made in this app: it must allow "
            f"logs.REGION.amazonaws.com {', '.join(LOG_ACTIONS)}, or no log group can be made",
        )


def encrypt_executions(function: lambda_.Function, key: kms.IKey) -> None:
    """Encrypt what the function's durable executions keep: input, results, callbacks and errors."""
    made = cast(lambda_.CfnFunction, function.node.default_child)
    made.add_property_override("DurableConfig.KMSKeyArn", key.key_arn)
