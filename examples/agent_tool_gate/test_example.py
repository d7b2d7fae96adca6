from app import AgentToolGate
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

TASK = {"task": "max@example.com"}


def test_should_delete_what_a_person_approved(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    [asked] = approvals.pending()
    assert asked.requester == "support-agent"
    assert "C-15" in asked.context
    approvals.approve(by="ann")
    assert run.result() == ["C-15", "deleted C-15, who asked to be forgotten"]


def test_should_tell_the_model_that_a_person_refused(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.reject(by="ann", comments="Invoice 9 is open")
    assert run.result() == ["C-15", "not done, rejected: Invoice 9 is open"]


def test_should_delete_nothing_when_nobody_answers(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.let_time_out()
    assert run.result() == ["C-15", "not done, timeout: no reason was given"]


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = AgentToolGate(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.agent, stack.approvals)
