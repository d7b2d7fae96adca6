"""What a role may do with many resources: few statements, since IAM counts a role's policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import jsii
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct, IValidation

from hitl_approval_cdk import sizes

MAX_INLINE: Final = 10_240
"""Characters that IAM allows all inline policies of a role together."""
MAX_MANAGED: Final = 10
"""Managed policies that IAM allows a role, unless the account's quota was raised."""
INLINE_RESOURCES: Final = 5
"""Resources of a stack in an inline policy. Few: all stacks share the 10,240 characters."""
MANAGED_RESOURCES: Final = 40
"""Resources in a managed policy: IAM allows it 6,144 characters, of which an ARN takes 140."""

_GATHERED = "HitlApprovalRights"


class GatheredRights(Construct):
    """What one role may do with the resources of one stack.

    The first resources are named in an inline policy, of which a role may have any number up to a
    size, those after them in managed policies, of which it may have few, each as large again.
    It stands in the resources' stack, so that two stacks never depend on each other.

    Attributes:
        role: has the rights.
        inline: the inline policy.
        managed: how many managed policies there are.
    """

    def __init__(self, stack: Stack, name: str, role: iam.IRole, actions: Sequence[str]) -> None:
        super().__init__(_all_of(stack), name)
        self.role = role
        self.managed = 0
        self._actions = list(actions)
        self._named: set[str] = set()
        inline = iam.Policy(self, "Inline", roles=[role])
        self.inline = cast(iam.CfnPolicy, inline.node.default_child)
        self._policy: iam.Policy | iam.ManagedPolicy = inline
        self._last: iam.PolicyStatement | None = None

    @classmethod
    def find(cls, stack: Stack, name: str) -> GatheredRights | None:
        """Those of a role and a deployment in a stack; None before they are made."""
        return cast(GatheredRights | None, _all_of(stack).node.try_find_child(name))

    def add(self, resource_arn: str) -> IConstruct:
        """Let the role do it with one more resource; returns the policy that names it."""
        if resource_arn in self._named:
            return self._policy
        if len(self._named) == INLINE_RESOURCES + self.managed * MANAGED_RESOURCES:
            self._policy = iam.ManagedPolicy(self, f"Managed{self.managed}", roles=[self.role])
            self._last = None
            self.managed += 1
        if self._last is None:
            self._last = iam.PolicyStatement(actions=self._actions)
            self._policy.add_statements(self._last)
        self._last.add_resources(resource_arn)
        self._named.add(resource_arn)
        return self._policy


def _all_of(stack: Stack) -> Construct:
    found = stack.node.try_find_child(_GATHERED)
    return Construct(stack, _GATHERED) if found is None else cast(Construct, found)


def count_policies(
    deployment: Construct, gathered: Sequence[tuple[iam.IRole, Sequence[GatheredRights]]]
) -> None:
    """Have the policies of a deployment's roles counted when the whole app is there.

    Args:
        deployment: makes the roles and their own policies.
        gathered: a role with what it gets in each stack until then.
    """
    deployment.node.add_validation(_RolesHold(deployment, gathered))


@jsii.implements(IValidation)
class _RolesHold:
    def __init__(
        self,
        deployment: Construct,
        gathered: Sequence[tuple[iam.IRole, Sequence[GatheredRights]]],
    ) -> None:
        self.deployment = deployment
        self.gathered = gathered

    def validate(self) -> list[str]:
        stack = Stack.of(self.deployment)
        nodes = self.deployment.node.find_all()
        # Resolved once each: a message to jsii that brings a whole policy.
        own: list[Any] = [
            stack.resolve(node._cfn_properties) for node in nodes if isinstance(node, iam.CfnPolicy)
        ]
        stack_name = stack.stack_name
        refused = []
        for role, gathered in self.gathered:
            name = stack.resolve(role.role_name)
            size = sum(
                _size(policy, stack_name) for policy in own if name in (policy.get("roles") or ())
            )
            for rights in gathered:
                theirs = Stack.of(rights.inline)
                size += _size(theirs.resolve(rights.inline._cfn_properties), theirs.stack_name)
            managed = sum(rights.managed for rights in gathered)
            if size > MAX_INLINE or managed > MAX_MANAGED:
                refused.append(
                    f"{role.node.path} would have about {size} characters of inline policies and "
                    f"{managed} managed ones, and IAM takes {MAX_INLINE} and {MAX_MANAGED}: "
                    f"{len(gathered)} stacks ask through {self.deployment.node.path}, so put what "
                    f"asks into fewer stacks, or make a second HitlApproval for some"
                )
        return refused


def _size(policy: Any, stack_name: str) -> int:
    return sizes.measured(sizes.estimated(policy["policyDocument"], stack_name))
