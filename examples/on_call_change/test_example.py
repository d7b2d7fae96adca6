from datetime import UTC, datetime, timedelta

import pytest
from app import GROUPS, QUORUM, OnCallChange
from aws_cdk import App
from handler import handler

from hitl_approval import ApprovalError, Policy
from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

ANN, BOB, SAM, SUE, DAN = (f"{who}@example.com" for who in ("ann", "bob", "sam", "sue", "dan"))
CHANGE = {"engineer": ANN, "service": "checkout", "version": "v42", "why": "Carts were lost"}
TWO_WEEKS = timedelta(days=14)


@pytest.fixture
def team(approvals: Approvals) -> Approvals:
    """People as they are deployed."""
    approvals.groups, approvals.policy = GROUPS, Policy(quorum=QUORUM)
    return approvals


def test_should_deploy_what_one_of_each_group_has_approved(team: Approvals) -> None:
    run = team.start(handler, CHANGE)
    assert [message.recipient for message in team.messages(kind="requested")] == [BOB, SAM, SUE]
    team.approve(by=SAM)
    assert team.approve(by=SUE).pending  # two of security stand for nobody who is on call
    team.approve(by=BOB)
    assert run.result() == {"deployed": "v42", "approved_by": [SAM, SUE, BOB]}


def test_should_let_a_delegate_answer_in_the_place_of_who_is_away(team: Approvals) -> None:
    team.delegate(giver=BOB, to=DAN, until=TWO_WEEKS)
    run = team.start(handler, CHANGE)
    team.approve(by=DAN)
    team.approve(by=SUE)
    assert run.result() == {"deployed": "v42", "approved_by": [f"{DAN} for {BOB}", SUE]}


def test_should_not_let_the_engineer_approve_in_the_place_of_another(team: Approvals) -> None:
    team.delegate(giver=BOB, to=ANN, until=TWO_WEEKS)
    run = team.start(handler, CHANGE)
    with pytest.raises(ApprovalError):
        team.approve(by=ANN)
    team.reject(by=SAM, comments="Not on a Friday")
    assert run.result() == {"deployed": None, "status": "rejected", "comments": "Not on a Friday"}


def test_should_count_only_the_hours_at_work(team: Approvals) -> None:
    friday, monday = datetime(2100, 1, 1, 15, tzinfo=UTC), datetime(2100, 1, 4, 11, tzinfo=UTC)
    team.advance(friday - team.clock.now())
    run = team.start(handler, CHANGE)
    [request] = team.pending()
    assert abs(request.expires_at - monday) < timedelta(seconds=1)  # 12 o'clock in Berlin
    team.let_time_out()
    assert run.result() == {"deployed": None, "status": "timeout", "comments": ""}


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = OnCallChange(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.change, stack.approvals)
