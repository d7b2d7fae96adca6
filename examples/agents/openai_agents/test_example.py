from pathlib import Path

from app import SqlAgent
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

TASK = {"task": "Forget everybody"}


def test_should_run_the_statement_that_a_person_made_of_it(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    [asked] = approvals.pending()
    assert "DELETE FROM users" in asked.context
    approvals.approve(
        by="ann", changes={"arguments.statement": "DELETE FROM users WHERE name = 'bob'"}
    )
    assert run.result() == "1 rows changed"


def test_should_tell_the_model_that_a_person_refused(approvals: Approvals) -> None:
    run = approvals.start(handler, TASK)
    approvals.reject(by="ann", comments="never without WHERE")
    assert run.result() == "not done, rejected: never without WHERE"


def test_should_deploy_a_function_that_may_ask() -> None:
    app = App(context={"aws:cdk:bundling-stacks": []})
    stack = SqlAgent(app, "Test", Path(__file__).parent / "lambda")
    assert_attached(stack.agent, stack.approvals)
