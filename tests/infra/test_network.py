"""Functions in a VPC: all of them, with the rights that this takes and no more."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from cdk_nag import AwsSolutionsChecks

from hitl_approval_cdk import ApprovalPage, HitlApproval, Network
from tests.infra.synth import any_stack, of_type, permissions, template, text

INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
"""AWSLambdaVPCAccessExecutionRole without what it says of logs."""


def test_should_run_every_function_in_the_vpc() -> None:
    stack = any_stack()
    vpc = ec2.Vpc(stack, "Vpc", restrict_default_security_group=False)
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    network = Network(
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        security_groups=[group],
    )
    HitlApproval(stack, "Approval", page=ApprovalPage(), network=network)
    resources = template(stack)["Resources"]
    ours = {
        name: properties
        for name, properties in of_type(resources, "AWS::Lambda::Function").items()
        if name.startswith("Approval")
    }
    assert len(ours) > 4
    for properties in ours.values():
        [used] = properties["VpcConfig"]["SecurityGroupIds"]
        assert text(used) == "<Group.GroupId>"
        assert len(properties["VpcConfig"]["SubnetIds"]) == 2
    for rights in permissions(resources).values():
        assert {action for action, resource in rights if resource == "*"} == INTERFACES


def test_should_satisfy_the_rules_of_cdk_nag_with_network_and_traces() -> None:
    stack = any_stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-11111111",
        availability_zones=["a", "b"],
        private_subnet_ids=["subnet-11111111", "subnet-22222222"],
    )
    HitlApproval(
        stack,
        "Approval",
        network=Network(vpc=vpc),
        tracing=lambda_.Tracing.ACTIVE,
        notify_emails=["ann@example.com"],
    )
    Validations.of(stack.node.root).add_plugins(AwsSolutionsChecks(stack.node.root))
    template(stack)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vpc": "vpc-1"}, "network.vpc must be a VPC, got 'vpc-1': use ec2.Vpc.from_lookup"),
        ({"security_groups": ["sg-1"]}, "network.security_groups must be a list of security"),
    ],
)
def test_should_refuse_what_is_no_object_of_cdks(options: dict[str, Any], message: str) -> None:
    values = {"vpc": ec2.Vpc(any_stack(), "Vpc"), **options}
    with pytest.raises(ValueError, match=f"^{message}"):
        Network(**values)


def test_should_refuse_more_security_groups_than_lambda_takes() -> None:
    stack = any_stack()
    vpc = ec2.Vpc(stack, "Vpc")
    groups = [ec2.SecurityGroup(stack, f"Group{number}", vpc=vpc) for number in range(6)]
    Network(vpc=vpc, security_groups=groups[:5])
    with pytest.raises(ValueError, match=r"^network.security_groups must be at most 5, .* got 6"):
        Network(vpc=vpc, security_groups=groups)
