"""Makes the functions of one deployment: one bundle, and for each a role and logs of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Annotations, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval_cdk import nag
from hitl_approval_cdk.permissions import executions_of

RUNTIMES = (lambda_.Runtime.PYTHON_3_13, lambda_.Runtime.PYTHON_3_14)
"""Lambda's Python runtimes that run durable functions; ours runs on the first."""

_WORKFLOW_SECONDS = 60
"""Time of one invocation: a few writes, then it suspends. Nothing to do with the wait."""
_PLAIN_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """What the functions of a deployment share."""

    scope: Construct
    code: lambda_.Code
    architecture: lambda_.Architecture
    memory_size: int
    log_retention: logs.RetentionDays
    removal_policy: RemovalPolicy

    def plain(
        self,
        name: str,
        *,
        description: str,
        handler: str,
        role: iam.Role,
        environment: Mapping[str, str],
        timeout: Duration | None = None,
    ) -> lambda_.Function:
        """A function that answers at once, or within a time of its own."""
        function = lambda_.Function(
            self.scope,
            f"{name}Function",
            description=description,
            runtime=RUNTIMES[0],
            code=self.code,
            handler=handler,
            architecture=self.architecture,
            memory_size=self.memory_size,
            timeout=timeout or Duration.seconds(_PLAIN_SECONDS),
            role=role,
            environment=environment,
        )
        nag.runtime(function)
        self._own_policy(name, role, function)
        return function

    def durable(
        self,
        name: str,
        *,
        description: str,
        handler: str,
        role: iam.Role,
        environment: Mapping[str, str],
        durable_config: lambda_.DurableConfig,
        dead_letter_queue: sqs.IQueue,
    ) -> tuple[lambda_.Function, iam.Policy]:
        """A function that suspends and resumes, whose versions are kept; and its own policy."""
        function = lambda_.Function(
            self.scope,
            f"{name}Function",
            description=description,
            runtime=RUNTIMES[0],
            code=self.code,
            handler=handler,
            architecture=self.architecture,
            memory_size=self.memory_size,
            timeout=Duration.seconds(_WORKFLOW_SECONDS),
            role=role,
            environment=environment,
            durable_config=durable_config,
            dead_letter_queue=dead_letter_queue,  # adds sqs:SendMessage to the role
            current_version_options=lambda_.VersionOptions(
                # Executions stay on the version they started on, for as long as they wait. What a
                # deployment made that was rolled back goes: it would be in the next one's way.
                removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
            ),
        )
        nag.runtime(function)
        Annotations.of(function).acknowledge_info(
            "aws-lambda:Function.DurableConfig", "It is durable from its first deployment on."
        )
        policy = self._own_policy(name, role, function, checkpoint(function))
        nag.executions(policy, function)
        return function, policy

    def role(self, name: str, description: str) -> iam.Role:
        """The role of one function."""
        return iam.Role(
            self.scope,
            f"{name}Role",
            description=description,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )

    def _own_policy(
        self,
        name: str,
        role: iam.Role,
        function: lambda_.Function,
        *statements: iam.PolicyStatement,
    ) -> iam.Policy:
        """What a role may do with its own function and that function's log.

        A policy by itself, on which the function does not depend: in the role's default policy it
        would lead CloudFormation in a circle.
        """
        group = logs.LogGroup(
            self.scope,
            f"{name}Logs",
            # Where Lambda, and so `aws logs tail /aws/lambda/NAME`, looks by itself.
            log_group_name=f"/aws/lambda/{function.function_name}",
            retention=self.log_retention,
            removal_policy=self.removal_policy,
        )
        log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            # The ARN of a log group ends in `:*`, which stands for its streams.
            resources=[group.log_group_arn],
        )
        return iam.Policy(
            self.scope, f"{name}OwnPolicy", statements=[log, *statements], roles=[role]
        )


def checkpoint(function: lambda_.IFunction) -> iam.PolicyStatement:
    """What a durable function does with its own executions."""
    return iam.PolicyStatement(
        actions=["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
        resources=[executions_of(function.function_arn)],
    )
