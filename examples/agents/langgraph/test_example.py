from pathlib import Path

from app import PrivacyAgent
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

TASK = {"task": "a@b.io has asked to be forgotten."}


def test_should_erase_what_people_approved(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    [asked] = approvals.pending()
    assert asked.subject == 'Run erase(person="P-6")'
    assert "They have asked to be forgotten." in asked.context
    approvals.approve(by="ann")
    assert run.result() == "erased P-6"


def test_should_answer_the_model_why_not(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.reject(by="ann", comments="an invoice is open")
    assert run.result() == "not done, rejected: an invoice is open"


def test_should_erase_nothing_when_nobody_answers(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.let_time_out()
    assert run.result() == "not done, timeout: nobody has answered in time"


def test_should_deploy_a_function_that_may_ask() -> None:
    app = App(context={"aws:cdk:bundling-stacks": []})
    stack = PrivacyAgent(app, "Test", Path(__file__).parent / "lambda")
    assert_attached(stack.agent, stack.approvals)
