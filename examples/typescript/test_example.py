from app import DIST, Refunds
from aws_cdk import App

from hitl_approval_cdk.testing import assert_attached


def test_should_deploy_a_function_that_may_ask() -> None:
    DIST.mkdir(exist_ok=True)  # without `npm run build` there is none, and nothing is deployed here
    stack = Refunds(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.refund, stack.approvals)
