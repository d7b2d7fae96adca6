"""The functions of a deployment: one class makes them as the table `specifications` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from aws_cdk import Annotations, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hitl_approval.contract import ALIAS, Env
from hitl_approval_cdk import bundling, nag, resolution
from hitl_approval_cdk.encryption import encrypt_executions
from hitl_approval_cdk.network import Network
from hitl_approval_cdk.option import Readers
from hitl_approval_cdk.options import ResolvedOptions
from hitl_approval_cdk.people import (
    READ_PEOPLE,
    directory_of,
    give_directory,
    give_groups,
    give_organization,
)
from hitl_approval_cdk.permissions import (
    COMPLETE_TASK,
    FAIL_TASK,
    Resources,
    Resumer,
    allow,
    executions_of,
    send_with,
)
from hitl_approval_cdk.resolution import resolve
from hitl_approval_cdk.ruling import READ_RULES, give_rules
from hitl_approval_cdk.sizes import count_environments
from hitl_approval_cdk.specifications import APPROVAL, WORKFLOW, Specification

RUNTIMES = (lambda_.Runtime.PYTHON_3_13, lambda_.Runtime.PYTHON_3_14)
"""Lambda's Python runtimes that run durable functions; this package's functions run on the first.
"""


_IN_A_VPC = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
_EVERY_FUNCTION = (Env.APPROVALS_TABLE_NAME, Env.AUDIT_TABLE_NAME, Env.SIGNING_KEY_ARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """What the functions of a deployment share.

    Attributes:
        resources: its tables, topics, keys and bus.
        options: resolved, from which come memory, architecture, logs and variables.
            Default: the defaults.
        variables: more than those of the resources; each function gets those that it reads.
            Default: none.
        code: the bundle. Default: made anew for each function.
        made: the functions that share them, one after the other.
    """

    resources: Resources
    options: ResolvedOptions = field(default_factory=lambda: resolve({}))
    variables: Mapping[str, str] = field(default_factory=dict)
    code: lambda_.Code | None = None
    made: list[lambda_.CfnFunction] = field(default_factory=list, init=False)
    _written: dict[Readers, Mapping[str, str]] = field(default_factory=dict, init=False)

    def environment(self, specification: Specification, scope: Construct) -> dict[str, str]:
        """The environment of one function, as far as this deployment has it."""
        known = {**self.resources.environment, **self.variables}
        reads = (*_EVERY_FUNCTION, *specification.reads)
        found = {name: known[name] for name in reads if name in known}
        for readers in ("every function", *specification.options):
            found |= self._read_by(readers, scope)
        return found

    def environment_to_wait(self, scope: Construct) -> dict[str, str]:
        """What attached functions have of it."""
        return {
            **self._read_by("every function", scope),
            **self._read_by("functions that wait", scope),
        }

    def _read_by(self, readers: Readers, scope: Construct) -> Mapping[str, str]:
        """Written once: the functions of a deployment stand in one stack."""
        if readers not in self._written:
            made = resolution.environment(self.options, Stack.of(scope), of=readers)
            self._written[readers] = made
        return self._written[readers]


@cache
def _lambda_itself() -> iam.ServicePrincipal:
    """Who takes the role of a function."""
    return iam.ServicePrincipal("lambda.amazonaws.com")


def _place(network: Network | None) -> dict[str, Any]:
    """Keywords of a function in a network."""
    if network is None:
        return {}
    return {
        "vpc": network.vpc,
        "vpc_subnets": network.vpc_subnets,
        "security_groups": network.security_groups,
    }


class PackagedFunction(lambda_.Function):
    """A function of this package, with its own role, log group and policy beside it.

    They stand beside it, named after it without `Function`: on a policy of its own the function
    does not depend, which in its role's default policy would lead CloudFormation in a circle.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        specification: what it is and may do.
        settings: what it shares with the other functions.
        workflow: the durable function on whose executions it acts. Default: on none.
        durable_config: makes it durable. Default: it answers at once.
        dead_letter_queue: takes starts that failed every attempt. Default: none.

    Attributes:
        specification: what it is and may do.
        own_policy: what it may do with its log, and with its own executions if it is durable.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        specification: Specification,
        settings: FunctionSettings,
        workflow: lambda_.Function | None = None,
        durable_config: lambda_.DurableConfig | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        self.specification = specification
        name = construct_id.removesuffix("Function")
        options = settings.options
        key = options["encryption_key"]
        role = iam.Role(
            scope,
            f"{name}Role",
            description=specification.role,
            assumed_by=_lambda_itself(),
        )
        self._own_role = role
        specification.rights(settings.resources, role)
        if options["network"] is not None:
            # What Lambda needs to reach a VPC, on interfaces that do not exist before.
            allow(role, _IN_A_VPC, "*")
            nag.any_interface(role)
        if options["tracing"] != lambda_.Tracing.DISABLED:
            nag.any_trace(role)  # CDK adds them
        send_with(key, role)  # for variables, and executions that it writes or completes
        if dead_letter_queue is not None:
            send_with(dead_letter_queue.encryption_master_key, role)
        super().__init__(
            scope,
            construct_id,
            description=specification.description,
            runtime=RUNTIMES[0],
            code=settings.code or bundling.code(scope, options["architecture"]),
            handler=specification.handler,
            architecture=options["architecture"],
            memory_size=options["memory_size"],
            timeout=Duration.seconds(specification.seconds),
            role=role,
            environment=settings.environment(specification, scope),
            environment_encryption=key,
            tracing=options["tracing"],
            **_place(options["network"]),
            durable_config=durable_config,
            reserved_concurrent_executions=None
            if durable_config is None
            else options["reserved_concurrent_executions"],
            dead_letter_queue=dead_letter_queue,  # adds sqs:SendMessage to the role
            current_version_options=None
            if durable_config is None
            # Executions stay on the version they started on, for as long as they wait. What a
            # deployment made that was rolled back goes: it would be in the next one's way.
            else lambda_.VersionOptions(removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE),
        )
        node = self.node
        made = cast(lambda_.CfnFunction, node.default_child)
        nag.function(self, made, durable=durable_config is not None)
        if READ_PEOPLE & set(specification.options):
            give_groups(self, scope, options["groups"])
        if READ_RULES & set(specification.options):
            give_rules(self, scope, options)
        if "messenger function" in specification.options:
            give_directory(self, scope, directory_of(options))
        if Env.ORGANIZATION in specification.reads and options["page"] is not None:
            give_organization(self, scope, options["page"].organization)
        if key is not None and durable_config is not None:
            encrypt_executions(self, key)
        settings.made.append(made)
        if settings.made[0] is made:
            count_environments(settings.made)
        # Its log group stands beside it, whatever the app's feature flags make CDK do.
        node.try_remove_child("LogGroup")
        group = logs.LogGroup(
            scope,
            f"{name}Logs",
            # Lambda's own default, which `aws logs tail /aws/lambda/NAME` takes, too.
            log_group_name=f"/aws/lambda/{self.function_name}",
            retention=options["log_retention"],
            removal_policy=options["removal_policy"],
            encryption_key=key,
        )
        log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            # The ARN of a log group ends in `:*`, which stands for its streams.
            resources=[group.log_group_arn],
        )
        own = (
            [log] if durable_config is None else [log, checkpoint(self, *specification.executions)]
        )
        self.own_policy = iam.Policy(scope, f"{name}OwnPolicy", statements=own, roles=[role])
        if workflow is not None:
            allow(role, specification.executions, executions_of(workflow.function_arn))
            nag.executions(role, workflow)

    def resumer(self) -> Resumer:
        """What it does with executions that wait."""
        return Resumer(self.specification.name, self._own_role, self.specification.executions)


class ApprovalFunction(PackagedFunction):
    """Decides, gets, lists and cancels.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        settings: the resources and options that it works with.
        workflow: whose executions it resumes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FunctionSettings,
        workflow: lambda_.Function,
    ) -> None:
        super().__init__(
            scope, construct_id, specification=APPROVAL, settings=settings, workflow=workflow
        )


class DurableFunction(PackagedFunction):
    """The workflow function: asks, suspends and resumes; its published versions are kept.

    Args:
        scope: where it belongs.
        construct_id: its name there.
        settings: the resources and options that it works with.
        dead_letter_queue: takes starts that failed every attempt. Default: none.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FunctionSettings,
        dead_letter_queue: sqs.IQueue | None = None,
    ) -> None:
        options = settings.options
        super().__init__(
            scope,
            construct_id,
            specification=WORKFLOW,
            settings=settings,
            durable_config=lambda_.DurableConfig(
                execution_timeout=options["execution_timeout"],
                retention_period=options["execution_retention"],
            ),
            dead_letter_queue=dead_letter_queue,
        )
        Annotations.of(self).acknowledge_info(
            "aws-lambda:Function.DurableConfig", "It is durable from its first deployment on."
        )
        nag.executions(self.own_policy, self)

    def answers(self) -> Resumer:
        """What it does with the state machines that wait for its answer."""
        return Resumer("Answers", self._own_role, (COMPLETE_TASK, FAIL_TASK))

    def publish(self, scope: Construct, construct_id: str) -> lambda_.Alias:
        """Publish a version of it and point the alias `live` to it: what callers start."""
        alias = lambda_.Alias(
            scope,
            construct_id,
            alias_name=ALIAS,
            version=self.current_version,
            # A failed execution may already have asked people: never ask them again. Throttled
            # starts are not failures and stay queued for 6 hours.
            retry_attempts=0,
            max_event_age=Duration.hours(6),
        )
        # Nobody can start an execution that is not yet allowed to checkpoint.
        alias.node.add_dependency(self.own_policy)
        return alias


def checkpoint(function: lambda_.IFunction, *more: str) -> iam.PolicyStatement:
    """What a durable function does with its own executions, and `more` that it does with them."""
    return iam.PolicyStatement(
        actions=["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState", *more],
        resources=[executions_of(function.function_arn)],
    )
