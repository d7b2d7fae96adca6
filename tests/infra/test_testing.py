"""What this package offers to other people's infrastructure tests."""

from __future__ import annotations

from typing import cast

import pytest
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import HitlApproval
from hitl_approval_cdk.testing import assert_attached
from tests.infra.synth import any_stack, durable


def test_should_help_others_to_check_that_they_attached() -> None:
    stack = any_stack()
    ours, theirs = HitlApproval(stack, "Ours"), HitlApproval(stack, "Theirs")
    attached, forgotten = durable(stack), durable(stack, "Forgotten")
    ours.attach(attached)
    assert_attached(attached, ours)
    with pytest.raises(AssertionError, match="Forgotten is not attached: call"):
        assert_attached(forgotten, ours)
    with pytest.raises(AssertionError, match="to another deployment than Embedding/Theirs"):
        assert_attached(attached, theirs)


def test_should_help_others_to_see_a_variable_that_is_wrong() -> None:
    stack = any_stack()
    approvals, attached = HitlApproval(stack, "Approval"), durable(stack)
    approvals.attach(attached)
    made = cast(lambda_.CfnFunction, attached.node.default_child)
    made.add_property_override("Environment.Variables.HITL_REQUEST_FUNCTION_ARN", "replaced")
    with pytest.raises(AssertionError, match="another HITL_REQUEST_FUNCTION_ARN than"):
        assert_attached(attached, approvals)
