from pathlib import Path

from app import DeployAgent
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

TASK = {"task": "The shop is slow."}


def test_should_deploy_what_people_approved(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    [asked] = approvals.pending()
    assert asked.subject.startswith('Run deploy(service="shop"')
    assert "1.3.9" in asked.context  # which an approver may change, on the page
    approvals.approve(by="ann")
    assert run.result() == "shop 1.3.9 is live, approved by ann"


def test_should_deploy_what_an_approver_has_made_of_it(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.approve(by="ann", changes={"arguments.version": "1.3.8"})
    assert run.result() == "shop 1.3.8 is live, approved by ann"


def test_should_answer_the_model_why_not(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.reject(by="ann", comments="not on a Friday")
    assert run.result() == "not done, rejected: not on a Friday"


def test_should_deploy_a_function_that_may_ask() -> None:
    app = App(context={"aws:cdk:bundling-stacks": []})
    stack = DeployAgent(app, "Test", Path(__file__).parent / "lambda")
    assert_attached(stack.agent, stack.approvals)
