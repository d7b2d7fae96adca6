"""Attaches other people's durable functions to a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import jsii
from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IValidation

from hitl_approval.contract import (
    ATTACHED_PREFIX,
    EXECUTION_MARGIN_SECONDS,
    MIN_DEFAULT_TIMEOUT_SECONDS,
    Env,
)
from hitl_approval_cdk import bundling, nag
from hitl_approval_cdk.functions import RUNTIMES, checkpoint
from hitl_approval_cdk.permissions import Resumer, executions_of
from hitl_approval_cdk.placement import check_same
from hitl_approval_cdk.sizes import count_environments, variables
from hitl_approval_cdk.tokens import shown

_LAYER = "HitlApprovalRuntime"
_ATTACHMENT = "HitlApprovalAttachment"
_ROLES_MADE_ELSEWHERE = "@aws-cdk/iam:customizeRoles"
"""Where `iam.Role.customize_roles` notes that policies are only reported, not attached."""


class RuntimeLayer(lambda_.LayerVersion):
    """The runtime as a layer.

    Attributes:
        digest: of all that is in it.
    """

    def __init__(self, stack: Stack) -> None:
        architecture = lambda_.Architecture.ARM_64
        sources = bundling.Sources.found().for_layer()
        super().__init__(
            stack,
            _LAYER,
            description="hitl-approval: wait_for_approval and what it imports",
            code=bundling.code(stack, architecture, sources),
            compatible_runtimes=list(RUNTIMES),
            compatible_architectures=[architecture, lambda_.Architecture.X86_64],
        )
        self.digest: str = sources.digest(architecture.name)


def runtime_layer(stack: Stack) -> RuntimeLayer:
    """The runtime's layer: one for each stack, since a layer changes with every release."""
    found = stack.node.try_find_child(_LAYER)
    return RuntimeLayer(stack) if found is None else cast(RuntimeLayer, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachable:
    """What a deployment gives to functions that ask through it.

    Attributes:
        deployment: its construct.
        request_function: what they ask through.
        environment: the variables of the functions that wait.
        resumers: its functions that act on executions which wait.
    """

    deployment: Construct
    request_function: lambda_.IFunction
    environment: Mapping[str, str]
    resumers: Sequence[Resumer]


def attach(function: lambda_.IFunction, *, to: Attachable, layer: bool) -> None:
    """See `HitlApproval.attach`."""
    own = _own(function)
    check_same(own.node.path, Stack.of(own), to.deployment)
    longest = _longest(own, to.environment[Env.APPROVAL_TIMEOUT_SECONDS])
    if layer:
        _add_layer(own)
    values = {
        **to.environment,
        Env.MAX_APPROVAL_TIMEOUT_SECONDS: longest,
        # Without the alias, whose name is the function's own: it would depend on itself.
        Env.REQUEST_FUNCTION_ARN: to.request_function.function_arn,
    }
    Attachment(
        own,
        deployment=to.deployment.node.addr,
        request_function=to.request_function,
        environment={ATTACHED_PREFIX + name: value for name, value in values.items()},
        resumers=to.resumers,
    )


class Attachment(Construct):
    """What a function has of the deployment that it asks through.

    Attributes:
        deployment: the address of the `HitlApproval` in the construct tree.
        environment: the variables that it gave the function.
    """

    def __init__(
        self,
        function: lambda_.Function,
        *,
        deployment: str,
        request_function: lambda_.IFunction,
        environment: Mapping[str, str],
        resumers: Sequence[Resumer],
    ) -> None:
        super().__init__(function, _ATTACHMENT)
        self.deployment = deployment
        self.environment = dict(environment)
        if taken := sorted(environment.keys() & variables(function).keys()):
            raise ValueError(_clash(function, taken))
        for name, value in environment.items():
            function.add_environment(name, value)
        self.node.add_validation(_KeepsItsVariables(function, environment))
        count_environments([cast(lambda_.CfnFunction, function.node.default_child)])
        # Who may invoke this alias, and nobody else may, is this function: so its name is believed.
        lambda_.CfnAlias(
            self,
            "Alias",
            function_name=request_function.function_name,
            function_version="$LATEST",
            name=function.function_name,
            description="By which one function asks",
        )
        executions = executions_of(function.function_arn)
        # Policies by themselves: part of no function's own role, they lead CloudFormation in no
        # circle, neither within a stack nor between two.
        self._allow_own(function, request_function)
        mark = deployment[-8:]
        for resumer in resumers:
            rights = resumer.rights(Stack.of(function), mark)
            nag.executions(rights.add(executions), function)

    @classmethod
    def of(cls, function: lambda_.Function) -> Attachment | None:
        """That of a function; None when it is not attached."""
        return cast("Attachment | None", function.node.try_find_child(_ATTACHMENT))

    def _allow_own(self, function: lambda_.Function, request_function: lambda_.IFunction) -> None:
        """What the function does with its own executions, and that it asks under its own name.

        Raises:
            ValueError: its role was imported as one that nobody changes.
        """
        role = cast(iam.IRole, function.role)
        asks = iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[f"{request_function.function_arn}:{function.function_name}"],
        )
        own = iam.Policy(self, "Own", statements=[checkpoint(function), asks])
        role.attach_inline_policy(own)
        nag.executions(own, function)
        made = cast(iam.CfnPolicy, own.node.default_child)
        attached = Stack.of(own).resolve(made._cfn_properties).get("roles")
        if not attached and not self.node.try_get_context(_ROLES_MADE_ELSEWHERE):
            msg = (
                f"{role.node.path} is the role of {function.node.path} and takes no rights, "
                f"because of mutable=False: import it without, or let the function make a role of "
                f"its own"
            )
            raise ValueError(msg)


@jsii.implements(IValidation)
class _KeepsItsVariables:
    """Checks when the whole app is there: a variable is easily replaced after `attach`."""

    def __init__(self, function: lambda_.Function, environment: Mapping[str, str]) -> None:
        self.function = function
        self.environment = environment

    def validate(self) -> list[str]:
        found = variables(self.function)
        meant = Stack.of(self.function).resolve(dict(self.environment))
        changed = sorted(name for name in meant if found.get(name) != meant[name])
        return [_clash(self.function, changed)] if changed else []


def _clash(function: lambda_.Function, names: Sequence[str]) -> str:
    return (
        f"{function.node.path} has an environment variable {names[0]} of its own, which attach "
        f"sets: call yours something else"
    )


def _add_layer(function: lambda_.Function) -> None:
    """Give the function the runtime, and a new version whenever the runtime is another.

    Raises:
        ValueError: the runtime does not run on it.
    """
    if function.runtime.name not in {runtime.name for runtime in RUNTIMES}:
        wanted = " or ".join(runtime.name for runtime in RUNTIMES)
        msg = (
            f"{function.node.path} runs on {function.runtime.name}, durable functions in Python on "
            f"{wanted}: change its runtime, or put hitl-approval into its own bundle and "
            f"attach(..., layer=False)"
        )
        raise ValueError(msg)
    layer = runtime_layer(Stack.of(function))
    function.add_layers(layer)
    # Without the flag @aws-cdk/aws-lambda:recognizeLayerVersion a layer makes no new version, and
    # the alias would stay on the old one.
    function.invalidate_version_based_on(layer.digest)


def _own(function: lambda_.IFunction) -> lambda_.Function:
    """The function if it can be attached.

    Raises:
        ValueError: it cannot; the message says what can be done.
    """
    if not hasattr(function, "node"):
        msg = f"attach needs a function, got {shown(function)}: pass the lambda_.Function"
        raise ValueError(msg)
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
    if Attachment.of(function) is not None:
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
