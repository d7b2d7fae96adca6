from app import DocumentApproval
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

DOCUMENT = {
    "title": "Q4 Budget",
    "author": "rita@example.com",
    "link": "https://docs.example.com/drafts/q4",
}


def test_should_publish_what_was_approved(approvals: Approvals) -> None:
    run = approvals.start(handler, DOCUMENT)
    approvals.approve(by="ann@example.com")
    assert run.result() == {
        "published": "https://docs.example.com/published/q4",
        "approved_by": "ann@example.com",
    }


def test_should_send_back_what_was_rejected(approvals: Approvals) -> None:
    run = approvals.start(handler, DOCUMENT)
    approvals.reject(by="bob@example.com", comments="Page 3 is missing")
    assert run.result() == {
        "published": None,
        "status": "rejected",
        "comments": "Page 3 is missing",
    }


def test_should_publish_nothing_that_nobody_reviewed(approvals: Approvals) -> None:
    run = approvals.start(handler, DOCUMENT)
    approvals.let_time_out()
    assert run.result()["status"] == "timeout"


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = DocumentApproval(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.publish, stack.approvals)
