"""`Network`: the VPC that a deployment's functions run in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_ec2 as ec2

from hitl_approval_cdk.tokens import shown

MAX_SECURITY_GROUPS: Final = 5
"""Security groups that Lambda lets a function belong to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where functions run.

    Raises:
        ValueError: a value that is no object of CDK's, or more security groups than Lambda takes.

    Attributes:
        vpc: the VPC.
        vpc_subnets: the subnets in it. Default: the private ones.
        security_groups: what the functions belong to. Default: a new one for each function, which
            lets all out.
    """

    vpc: ec2.IVpc
    vpc_subnets: ec2.SubnetSelection | None = None
    security_groups: Sequence[ec2.ISecurityGroup] | None = None

    def __post_init__(self) -> None:
        if not hasattr(self.vpc, "vpc_id"):
            msg = (
                f"network.vpc must be a VPC, got {shown(self.vpc)}: use ec2.Vpc.from_lookup(), say"
            )
            raise ValueError(msg)
        groups = self.security_groups
        if groups is not None and (
            not isinstance(groups, list | tuple)
            or not all(hasattr(group, "security_group_id") for group in groups)
        ):
            msg = (
                f"network.security_groups must be a list of security groups, got {shown(groups)}: "
                f"use [ec2.SecurityGroup(...)], say"
            )
            raise ValueError(msg)
        if groups is not None and len(groups) > MAX_SECURITY_GROUPS:
            msg = (
                f"network.security_groups must be at most {MAX_SECURITY_GROUPS}, which Lambda lets "
                f"a function belong to, got {len(groups)}: put their rules into fewer groups"
            )
            raise ValueError(msg)
