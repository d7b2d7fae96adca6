from pathlib import Path

from app import RefundAgent
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

TASK = {"task": "Order 7 was charged twice"}


def test_should_refund_what_a_person_approved(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    [asked] = approvals.pending()
    assert asked.subject == "Run refund(amount=70, order=7)"
    assert "charged twice" in asked.context
    approvals.approve(by="ann")
    assert run.result() == "refunded 70 EUR for order 7, approved by ann"


def test_should_tell_the_model_that_a_person_refused(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.reject(by="ann", comments="charged once only")
    assert run.result() == "not done, rejected: charged once only"


def test_should_refund_nothing_when_nobody_answers(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.let_time_out()
    assert run.result() == "not done, timeout: nobody has answered in time"


def test_should_deploy_a_function_that_may_ask() -> None:
    app = App(context={"aws:cdk:bundling-stacks": []})
    stack = RefundAgent(app, "Test", Path(__file__).parent / "lambda")
    assert_attached(stack.agent, stack.approvals)
