"""Limits of AWS on size, counted at synth: a function's environment and a role's policies.

What only CloudFormation knows is counted as long as the name that it will make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import jsii
from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from constructs import IValidation

from hitl_approval.contract import ATTACHED_PREFIX, Env

MAX_ENVIRONMENT: Final = 4_096
"""Bytes that Lambda allows a function's variables to take, as the JSON that it measures."""

_GENERATED: Final = 14
"""CloudFormation puts a hyphen before the logical id and 13 characters after it, one a hyphen."""
_LONGEST_NAME: Final = 64
"""Characters of a name that Lambda or IAM allows, to which CloudFormation shortens."""
_ARN: Final = len("arn:aws:dynamodb:ap-southeast-2:123456789012:table/")
"""Characters before the name in an ARN, about."""
_PSEUDO: Final = {"AWS::Partition": 3, "AWS::Region": 14, "AWS::AccountId": 12}
_IMPORTED: Final = 100
"""Characters of a value of another stack, about."""


def estimated(value: Any, stack: Stack) -> Any:
    """A resolved value with something of the right length for each intrinsic function."""
    if isinstance(value, list):
        return [estimated(each, stack) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        [(function, argument)] = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(map(str, estimated(argument[1], stack)))
        if function == "Ref":
            return "x" * _PSEUDO.get(argument, _name(argument, stack))
        if function == "Fn::GetAtt":
            return "x" * (_ARN + _name(argument[0], stack))
        if function.startswith("Fn::"):
            return "x" * _IMPORTED
    return {key: estimated(each, stack) for key, each in value.items()}


def _name(logical_id: str, stack: Stack) -> int:
    return min(_LONGEST_NAME, len(stack.stack_name) + len(logical_id) + _GENERATED)


def measured(value: Any) -> int:
    """Bytes of a value as JSON without spaces."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def count_environment(function: lambda_.Function) -> None:
    """Have the variables of a function counted when the whole app is there."""
    function.node.add_validation(_EnvironmentFits(function))


def variables(function: lambda_.Function) -> dict[str, Any]:
    """The variables of a function as they are now, resolved."""
    made: Any = function.node.default_child
    # Not `made.environment`: jsii makes an empty struct of what CDK will fill at synth.
    found = Stack.of(function).resolve(made._cfn_properties.get("environment")) or {}
    return dict(found.get("variables") or {})


@jsii.implements(IValidation)
class _EnvironmentFits:
    def __init__(self, function: lambda_.Function) -> None:
        self.function = function

    def validate(self) -> list[str]:
        found = estimated(variables(self.function), Stack.of(self.function))
        size = measured(found)
        if size <= MAX_ENVIRONMENT:
            return []
        names = (f"{prefix}{Env.DEFAULT_APPROVERS}" for prefix in ("", ATTACHED_PREFIX))
        approvers = sum(measured(found[name]) for name in names if name in found)
        msg = (
            f"{self.function.node.path} has about {size} bytes of environment variables, of which "
            f"approvers take {approvers}, and Lambda takes {MAX_ENVIRONMENT}: give it fewer of "
            f"yours, or make approvers a group"
        )
        return [msg]
