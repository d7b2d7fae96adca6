"""`HitlApproval` wires what it made and what was brought along."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_dynamodb as dynamodb

from hitl_approval_cdk import (
    HitlApproval,
)
from tests.infra.synth import any_stack


def test_should_make_neither_table_nor_topic_where_they_are_brought_along(
    templates: dict[str, Any],
) -> None:
    kinds = {r["Type"] for r in templates["brought_along"]["Resources"].values()}
    assert not kinds & {"AWS::DynamoDB::Table", "AWS::SNS::Topic"}


def test_should_fix_no_physical_name_inside_the_construct(templates: dict[str, Any]) -> None:
    for name in ("polling_with_customer_key", "embedded_twice", "brought_along"):
        for resource in templates[name]["Resources"].values():
            properties = resource.get("Properties", {})
            fixed = {"TableName", "TopicName", "QueueName", "RoleName"}
            assert not fixed & properties.keys()
            if resource["Type"] == "AWS::Lambda::Function":
                assert "FunctionName" not in properties


def test_should_give_what_it_made_as_attributes() -> None:
    stack = any_stack()
    table = dynamodb.Table.from_table_name(stack, "Theirs", "theirs")
    approval = HitlApproval(stack, "Approval", table=table)
    assert approval.table is table
    for name in (
        "audit_table",
        "topic",
        "workflow_function",
        "workflow_alias",
        "approval_function",
        "dead_letter_queue",
    ):
        assert getattr(approval, name) is not None
