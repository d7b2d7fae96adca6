"""Limits of AWS on size, counted at synth: a function's environment and a role's policies.

What only CloudFormation knows is counted as long as the name that it will make.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

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


def estimated(value: Any, stack_name: str) -> Any:
    """A resolved value with something of the right length for each intrinsic function."""
    if isinstance(value, list):
        return [estimated(each, stack_name) for each in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        [(function, argument)] = value.items()
        if function == "Fn::Join":
            return str(argument[0]).join(map(str, estimated(argument[1], stack_name)))
        if function == "Ref":
            return "x" * _PSEUDO.get(argument, _name(argument, stack_name))
        if function == "Fn::GetAtt":
            return "x" * (_ARN + _name(argument[0], stack_name))
        if function.startswith("Fn::"):
            return "x" * _IMPORTED
    return {key: estimated(each, stack_name) for key, each in value.items()}


def _name(logical_id: str, stack_name: str) -> int:
    return min(_LONGEST_NAME, len(stack_name) + len(logical_id) + _GENERATED)


def measured(value: Any) -> int:
    """Bytes of a value as JSON without spaces."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def count_environments(functions: Sequence[lambda_.CfnFunction]) -> None:
    """Have the variables of functions counted when the whole app is there.

    Args:
        functions: of one stack, at least one; more may be added until then.
    """
    functions[0].node.add_validation(_EnvironmentsFit(functions))


def variables(function: lambda_.Function) -> dict[str, Any]:
    """The variables of a function as they are now, resolved."""
    return _variables(cast(lambda_.CfnFunction, function.node.default_child), Stack.of(function))


def _variables(made: lambda_.CfnFunction, stack: Stack) -> dict[str, Any]:
    # Not `made.environment`: jsii makes an empty struct of what CDK will fill at synth.
    found: Any = stack.resolve(made._cfn_properties.get("environment")) or {}
    return dict(found.get("variables") or {})


@jsii.implements(IValidation)
class _EnvironmentsFit:
    def __init__(self, functions: Sequence[lambda_.CfnFunction]) -> None:
        self.functions = functions

    def validate(self) -> list[str]:
        stack = Stack.of(self.functions[0])
        name = stack.stack_name
        return [
            refusal
            for made in self.functions
            if (refusal := self._refusal(made, estimated(_variables(made, stack), name)))
        ]

    def _refusal(self, made: lambda_.CfnFunction, found: Mapping[str, Any]) -> str | None:
        size = measured(found)
        if size <= MAX_ENVIRONMENT:
            return None
        names = (f"{prefix}{Env.DEFAULT_APPROVERS}" for prefix in ("", ATTACHED_PREFIX))
        approvers = sum(measured(found[name]) for name in names if name in found)
        path = made.node.path.rpartition("/")[0]
        return (
            f"{path} has about {size} bytes of environment variables, of which "
            f"approvers take {approvers}, and Lambda takes {MAX_ENVIRONMENT}: give it fewer of "
            f"yours, or make approvers a group"
        )
