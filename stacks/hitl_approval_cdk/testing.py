"""For your own infrastructure tests."""

from __future__ import annotations

from typing import Any, cast

from aws_cdk import Stack, assertions
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk.approval import HitlApproval
from hitl_approval_cdk.attachment import Attachment
from hitl_approval_cdk.permissions import COMPLETE_CALLBACK


def assert_attached(function: lambda_.Function, approvals: HitlApproval) -> None:
    """Check in the template that this function can ask, and that decisions resume it.

    Raises:
        AssertionError: it is not attached, or to another deployment, or a variable that it needs
            has another value; the message says what lacks.
    """
    attachment = Attachment.of(function)
    if attachment is None:
        msg = f"{function.node.path} is not attached: call approvals.attach(function)"
        raise AssertionError(msg)
    if attachment.deployment != approvals.node.addr:
        msg = f"{function.node.path} is attached to another deployment than {approvals.node.path}"
        raise AssertionError(msg)
    stack = Stack.of(function)
    found = assertions.Template.from_stack(stack).to_json()["Resources"]
    name = stack.get_logical_id(cast(lambda_.CfnFunction, function.node.default_child))
    variables = found[name]["Properties"].get("Environment", {}).get("Variables", {})
    for variable, value in stack.resolve(attachment.environment).items():
        if variables.get(variable) != value:
            msg = f"{function.node.path} has another {variable} than attach gave it"
            raise AssertionError(msg)
    executions = {"Fn::Join": ["", [{"Fn::GetAtt": [name, "Arn"]}, ":*"]]}
    resuming = [
        statement
        for resource in found.values()
        if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if COMPLETE_CALLBACK in statement["Action"] and executions in _many(statement["Resource"])
    ]
    if not resuming:
        msg = f"no decision can resume {function.node.path}: nobody may complete its callbacks"
        raise AssertionError(msg)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
