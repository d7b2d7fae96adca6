"""Rules of cdk-nag's that do not apply here, each with its reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from hitl_approval_cdk import bundling


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of cdk-nag's does not apply here; costs nothing where nobody runs it."""
    acknowledgment = Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    Validations.of(construct).acknowledge(acknowledgment)


def runtime(function: lambda_.Function) -> None:
    """Not the newest runtime of all."""
    acknowledge(
        function,
        "L1",
        "Durable functions run on python3.13 and python3.14; the locked bundle is resolved for "
        f"python{bundling.PYTHON_VERSION}.",
    )


def executions(construct: IConstruct, function: lambda_.Function) -> None:
    """All the executions of one function, which takes a wildcard."""
    stack = Stack.of(function)
    arn = stack.get_logical_id(function.node.default_child)  # type: ignore[arg-type]
    acknowledge(
        construct,
        f"IAM5[Resource::<{arn}.Arn>:*]",
        "Lambda authorizes durable actions on versions and executions of this one function, "
        "whose ids are not known before they exist.",
    )


def any_interface(role: IConstruct) -> None:
    """Network interfaces of a VPC, which takes a wildcard."""
    acknowledge(
        role,
        "IAM5[Resource::*]",
        "Lambda makes the network interfaces of a function in a VPC with the function's role, and "
        "they have no name before.",
    )


def any_trace(role: IConstruct) -> None:
    """Traces, which takes a wildcard."""
    acknowledge(role, "IAM5[Resource::*]", "Writing traces to X-Ray is allowed on * only.")


def personal_link(route: IConstruct) -> None:
    """The one route that takes no sign-in."""
    acknowledge(
        route,
        "APIG4",
        "The personal link is the credential: 256 random bits for one person and one request, "
        "checked by the function; signing in is what an approver on a phone need not do.",
    )
