"""Rules of cdk-nag's and checkov's that do not apply here, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from hitl_approval_cdk import lambda_python

_CHECKOV: Final = "checkov"
"""The metadata of a resource in which checkov reads what to skip."""


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Record why a rule of cdk-nag's does not apply here; costs nothing where nobody runs it."""
    acknowledgment = Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
    Validations.of(construct).acknowledge(acknowledgment)


def skip(made: CfnResource, rules: Mapping[str, str]) -> None:
    """Record in the template which rules of checkov's do not apply to a resource, and why."""
    skipped = [{"id": rule, "comment": reason} for rule, reason in rules.items()]
    made.add_metadata(_CHECKOV, {"skip": skipped})


def _made(construct: IConstruct | None) -> CfnResource:
    return cast(CfnResource, construct and construct.node.default_child)


def function(function: lambda_.Function, made: lambda_.CfnFunction, *, durable: bool) -> None:
    """What every function of a deployment is not, and why."""
    runtime(function)
    rules = {
        "CKV_AWS_116": "Its callers wait for the answer; what a schedule or a stream starts is "
        "tried again by the next run, or noted in the deployment's dead-letter queue.",
        "CKV_AWS_115": "What is reserved for one function is taken from all others of the account; "
        "for the workflow function, reserved_concurrent_executions does.",
    }
    if durable:
        del rules["CKV_AWS_116"]
    skip(made, rules)


def runtime(function: lambda_.Function) -> None:
    """Not the newest runtime of all."""
    acknowledge(
        function,
        "L1",
        "Durable functions run on python3.13 and python3.14; the locked bundle is resolved for "
        f"python{lambda_python.VERSION}.",
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
    reason = (
        "Lambda makes the network interfaces of a function in a VPC with the function's role, and "
        "they have no name before."
    )
    acknowledge(role, "IAM5[Resource::*]", reason)
    skip(_made(role.node.try_find_child("DefaultPolicy")), {"CKV_AWS_111": reason})


def any_trace(role: IConstruct) -> None:
    """Traces, which takes a wildcard."""
    acknowledge(role, "IAM5[Resource::*]", "Writing traces to X-Ray is allowed on * only.")


def archive(bucket: IConstruct) -> None:
    """The bucket that is made where none is brought along."""
    reason = (
        "What it holds cannot be changed or deleted, and every object is signed: who reads it "
        "learns hashes only. A bucket of yours may log."
    )
    acknowledge(bucket, "S1", reason)
    skip(_made(bucket), {"CKV_AWS_18": reason})


def archive_objects(grantee: IConstruct, arn: str) -> None:
    """Objects in the archive, which takes a wildcard."""
    acknowledge(
        grantee,
        f"IAM5[Resource::{_flat(Stack.of(grantee).resolve(arn))}]",
        "Archive objects are numbered as they are written; they share one prefix of one bucket, "
        "which is this deployment's alone.",
    )


def _flat(value: Any) -> str:
    """An ARN as cdk-nag writes it."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [_, parts]}:
            return "".join(map(_flat, parts))
        case _:
            return str(value)


def signed_by_slack(route: IConstruct) -> None:
    """The route that Slack calls."""
    acknowledge(
        route,
        "APIG4",
        "Slack signs each request with a secret of the app; the function checks signature, time "
        "and workspace, and Slack can sign in by no authorizer.",
    )


def session_key(key: IConstruct) -> None:
    """The key that seals cookies of browsers."""
    reason = (
        "KMS rotates no HMAC keys by itself. What this one seals is valid for one session; a new "
        "key signs everybody out."
    )
    skip(_made(key), {"CKV_AWS_7": reason})


def user_pool(pool: IConstruct) -> None:
    """The pool that is made where none is brought along."""
    acknowledge(
        pool,
        "COG2",
        "Each person may add a second factor; who demands one of everybody brings a pool of their "
        "own along, with its own enrolment.",
    )
    acknowledge(
        pool,
        "COG3",
        "Threat protection takes Cognito's dearer plan; who wants it brings a pool of their own.",
    )
    acknowledge(
        pool,
        "COG8",
        "Cognito's dearer plan is for who wants it, and brings a pool of their own along.",
    )


def signed_in_page(route: IConstruct) -> None:
    """A page that a browser is led from to the sign-in."""
    acknowledge(
        route,
        "APIG4",
        "A browser has no token to send: the function signs it in by OpenID Connect and takes its "
        "sealed cookie, or leads it to the sign-in.",
    )


def personal_link(route: IConstruct) -> None:
    """The one route that takes no sign-in."""
    acknowledge(
        route,
        "APIG4",
        "The personal link is the credential: 256 random bits for one person and one request, "
        "checked by the function; signing in is what an approver on a phone need not do.",
    )
