from app import Refunds
from aws_cdk import App

from hitl_approval_cdk.testing import assert_attached


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = Refunds(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.refund, stack.approvals)
