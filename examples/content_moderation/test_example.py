import pytest
from app import ContentModeration
from aws_cdk import App
from handler import handler

from hitl_approval import OnTimeout, Policy
from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

REPORT = {"post_id": "p-7", "author": "max", "text": "Buy now!", "reason": "advertising"}


@pytest.fixture
def moderation(approvals: Approvals) -> Approvals:
    approvals.policy = Policy(on_timeout=OnTimeout.reject(), require_comment_on_rejection=True)
    return approvals


def test_should_show_what_a_moderator_keeps(moderation: Approvals) -> None:
    run = moderation.start(handler, REPORT)
    moderation.approve(by="ann")
    assert run.result()["visibility"] == "shown"


def test_should_hide_what_a_moderator_rejects_and_say_why(moderation: Approvals) -> None:
    run = moderation.start(handler, REPORT)
    moderation.reject(by="ann", comments="No advertising")
    assert run.result() == {"post_id": "p-7", "visibility": "hidden", "why": "No advertising"}


def test_should_hide_what_nobody_reviewed(moderation: Approvals) -> None:
    run = moderation.start(handler, REPORT)
    moderation.let_time_out()
    assert run.result()["visibility"] == "hidden"


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = ContentModeration(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.moderate, stack.approvals)
