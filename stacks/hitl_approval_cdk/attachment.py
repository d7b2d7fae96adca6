"""Attaches other people's durable functions to a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from hitl_approval.contract import (
    EXECUTION_MARGIN_SECONDS,
    MIN_DEFAULT_TIMEOUT_SECONDS,
    Env,
)
from hitl_approval_cdk import bundling, nag
from hitl_approval_cdk.functions import RUNTIMES, checkpoint
from hitl_approval_cdk.permissions import LOOK, RING, Permissions, executions_of

if TYPE_CHECKING:
    from hitl_approval_cdk.approval import HitlApproval

_LAYER = "HitlApprovalRuntime"
_OWN = "HitlApprovalOwn"


def runtime_layer(stack: Stack) -> lambda_.LayerVersion:
    """The runtime as a layer: one for each stack, since a layer changes with every release."""
    found = stack.node.try_find_child(_LAYER)
    if found is not None:
        return cast(lambda_.LayerVersion, found)
    return lambda_.LayerVersion(
        stack,
        _LAYER,
        description="hitl-approval: wait_for_approval and what it imports",
        code=bundling.code(
            stack, lambda_.Architecture.ARM_64, bundling.Sources.found().for_layer()
        ),
        compatible_runtimes=list(RUNTIMES),
        compatible_architectures=[lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64],
    )


def attach(
    function: lambda_.IFunction,
    *,
    to: HitlApproval,
    permissions: Permissions,
    environment: Mapping[str, str],
    layer: bool,
) -> None:
    """See `HitlApproval.attach`."""
    own = _own(function)
    role = cast(iam.IRole, own.role)
    values = {
        **environment,
        Env.MAX_APPROVAL_TIMEOUT_SECONDS: _longest(own, environment[Env.APPROVAL_TIMEOUT_SECONDS]),
    }
    if layer:
        if own.runtime.name not in {runtime.name for runtime in RUNTIMES}:
            wanted = " or ".join(runtime.name for runtime in RUNTIMES)
            msg = (
                f"{own.node.path} runs on {own.runtime.name}, durable functions in Python on "
                f"{wanted}: change its runtime, or put hitl-approval into its own bundle and "
                f"attach(..., layer=False)"
            )
            raise ValueError(msg)
        own.add_layers(runtime_layer(Stack.of(own)))
    for name, value in values.items():
        own.add_environment(name, value)
    permissions.ask(role)
    executions = executions_of(own.function_arn)
    # Each a policy by itself and beside the function: part of no function's own role, they lead
    # CloudFormation in no circle, neither within a stack nor between two.
    for construct_id, holder, statement in (
        (_OWN, role, checkpoint(own)),
        (
            "HitlApprovalDecide",
            cast(iam.IRole, to.approval_function.role),
            iam.PolicyStatement(actions=[RING], resources=[executions]),
        ),
        (
            "HitlApprovalSweep",
            cast(iam.IRole, to.sweep_function.role),
            iam.PolicyStatement(actions=[LOOK, RING], resources=[executions]),
        ),
        *(
            [
                (
                    "HitlApprovalPage",
                    cast(iam.IRole, to.page.function.role),
                    iam.PolicyStatement(actions=[RING], resources=[executions]),
                )
            ]
            if to.page and to.page.function
            else []
        ),
    ):
        policy = iam.Policy(own, construct_id, statements=[statement], roles=[holder])
        nag.executions(policy, own)


def _own(function: lambda_.IFunction) -> lambda_.Function:
    """The function if it can be attached.

    Raises:
        ValueError: it cannot; the message says what can be done.
    """
    path = function.node.path
    if isinstance(function, lambda_.Alias | lambda_.Version):
        msg = f"attach needs the function, {path} is a version or an alias of it: pass the function"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    if not isinstance(function, lambda_.Function):
        msg = (
            f"attach cannot give {path} its environment, because it is imported: attach it in the "
            f"app that defines it"
        )
        raise ValueError(msg)  # noqa: TRY004  as above
    if function.node.try_find_child(_OWN) is not None:
        msg = f"{path} is attached already: a function asks through one deployment"
        raise ValueError(msg)
    if cast(lambda_.CfnFunction, function.node.default_child).durable_config is None:
        msg = (
            f"{path} is not durable and cannot wait: give it durable_config=DurableConfig("
            f"execution_timeout=...), which replaces a function that is deployed already"
        )
        raise ValueError(msg)
    return function


def _longest(function: lambda_.Function, approval_timeout: str) -> str:
    """Longest time to decide that this function's execution can hold, as the environment says it.

    Raises:
        ValueError: shorter than the deployment's default.
    """
    config = cast(lambda_.CfnFunction, function.node.default_child).durable_config
    lasts = getattr(config, "execution_timeout", None)
    if lasts is None or Token.is_unresolved(lasts) or Token.is_unresolved(approval_timeout):
        return approval_timeout
    longest = int(lasts) - EXECUTION_MARGIN_SECONDS
    if longest < max(int(approval_timeout), MIN_DEFAULT_TIMEOUT_SECONDS):
        needed = int(approval_timeout) + EXECUTION_MARGIN_SECONDS
        msg = (
            f"{function.node.path} has an execution_timeout of {int(lasts)} s, but requests wait "
            f"for {approval_timeout} s by default: use Duration.seconds({needed}) or more, or a "
            f"shorter approval_timeout"
        )
        raise ValueError(msg)
    return str(longest)
