"""Regions that have no durable functions, as far as is known."""

from __future__ import annotations

import boto3
import pytest
from aws_cdk import Environment, Stack

from hitl_approval_cdk import HitlApproval
from hitl_approval_cdk.regions import AS_OF, WITHOUT
from tests.infra.synth import ROOT, any_app, said

SESSION = boto3.Session()
KNOWN = ("aws", "aws-eusc")
REGIONS = {
    region: partition
    for partition in SESSION.get_available_partitions()
    for region in SESSION.get_available_regions("lambda", partition_name=partition)
}


def warns(region: str | None) -> bool:
    env = None if region is None else Environment(account="111111111111", region=region)
    stack = Stack(any_app(), "Payments", env=env)
    HitlApproval(stack, "Approval", notify_emails=["ann@example.com"])
    return any("durable functions in " in text for _, text in said(stack))


@pytest.mark.parametrize(
    ("region", "warned"),
    [
        ("us-east-2", False),
        ("eusc-de-east-1", False),
        ("cn-north-1", True),
        ("us-gov-west-1", True),
        (None, False),
    ],
)
def test_should_warn_where_none_are_known(region: str | None, warned: bool) -> None:
    assert warns(region) is warned


def test_should_tell_partitions_apart_by_how_regions_begin() -> None:
    assert len(REGIONS) > 40
    for region, partition in REGIONS.items():
        assert region.startswith(WITHOUT) is (partition not in KNOWN), region


def test_should_say_in_the_limits_when_that_was_read() -> None:
    limits = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    assert AS_OF in limits
    for beginning in WITHOUT:
        assert f"`{beginning}" in limits
