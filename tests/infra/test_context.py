"""The deployable app's context keys: known ones only, each for one option."""

from __future__ import annotations

from hitl_approval_cdk import (
    ApprovalPage,
    HitlApprovalStack,
    context,
)
from tests.infra.synth import any_app, of_type, template
from tests.infra.test_readers import GIVEN, plain


def test_should_know_every_key() -> None:
    assert set(GIVEN) == set(context.KEYS)
    fields = {key.field for _, key in context.KEYS.values() if key.field}
    assert fields <= set(ApprovalPage.__annotations__)


def test_should_deploy_with_all_keys_at_once() -> None:
    values = {key: given for key, (given, _) in GIVEN.items()}
    stack = HitlApprovalStack(any_app(), "All", **context.options(values))
    functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
    assert {function["MemorySize"] for function in functions} == {1024}


def test_should_default_to_the_patterns_timeout_and_nothing_else() -> None:
    options = dict(context.options({}))
    assert plain(options.pop("approval_timeout")) == 300
    assert options == {}
    assert context.stack_name({}) == "hitl-approval"


def test_should_leave_keys_of_other_tools_alone() -> None:
    others = {
        "@aws-cdk/core:checkSecretUsage": True,
        "aws:cdk:bundling-stacks": [],
        "acknowledged-issue-numbers": [1],
        "availability-zones:account=123456789012:region=us-east-1": ["a"],
        "stack_name": "x",
    }
    assert set(context.options(others)) == {"approval_timeout"}


def test_should_name_stack_and_table_after_the_key() -> None:
    stack = HitlApprovalStack(any_app(), context.stack_name({"stack_name": "payments-prod"}))
    tables = of_type(template(stack)["Resources"], "AWS::DynamoDB::Table").values()
    assert "payments-prod-ApprovalRequests" in {table.get("TableName") for table in tables}
