from datetime import timedelta
from typing import Any

import pytest
from app import APPROVERS, ESCALATION, GROUPS, RULES, Expenses
from aws_cdk import App
from handler import handler

from hitl_approval import Policy
from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached

ANN, BOB, FAY, DAN = (f"{name}@example.com" for name in ("ann", "bob", "fay", "dan"))


@pytest.fixture
def office(approvals: Approvals) -> Approvals:
    """People and rules as they are deployed."""
    approvals.groups, approvals.approvers, approvals.rules = GROUPS, APPROVERS, RULES
    approvals.policy = Policy(escalation=tuple(ESCALATION))
    approvals.approval_timeout = timedelta(days=7)
    return approvals


def expense(claimed: int) -> dict[str, Any]:
    return {"employee": "rita@example.com", "purpose": "Train", "claimed": claimed}


def asked(office: Approvals) -> list[str | None]:
    return [message.recipient for message in office.messages(kind="requested")]


def test_should_pay_small_amounts_by_a_rule_without_asking(office: Approvals) -> None:
    run = office.start(handler, expense(50))
    assert run.result() == {"paid": 50, "approved_by": ["rule:small"]}
    assert asked(office) == []


@pytest.mark.parametrize("claimed", [-50, 51, 1000])
def test_should_ask_one_manager_for_anything_else(office: Approvals, claimed: int) -> None:
    run = office.start(handler, expense(claimed))
    assert asked(office) == [ANN, BOB]
    office.approve(by=BOB)
    assert run.result() == {"paid": claimed, "approved_by": [BOB]}


def test_should_ask_a_manager_and_then_finance_for_much(office: Approvals) -> None:
    run = office.start(handler, expense(1001))
    office.approve(by=ANN)
    assert asked(office) == [ANN, BOB, FAY]
    office.approve(by=FAY)
    assert run.result() == {"paid": 1001, "approved_by": [ANN, FAY]}


def test_should_not_bother_finance_with_what_a_manager_rejected(office: Approvals) -> None:
    run = office.start(handler, expense(1001))
    office.reject(by=BOB, comments="Take the bus")
    assert run.result() == {"paid": 0, "status": "rejected", "comments": "Take the bus"}
    assert asked(office) == [ANN, BOB]


def test_should_pay_what_the_manager_made_of_it_and_finance_saw(office: Approvals) -> None:
    run = office.start(handler, expense(1200))
    changed = office.approve(by=ANN, changes={"paid_out": 1100})
    assert changed.pending
    office.approve(by=FAY)
    assert run.result() == {"paid": 1100, "approved_by": [ANN, FAY]}


def test_should_not_pay_more_than_was_claimed(office: Approvals) -> None:
    run = office.start(handler, expense(900))
    office.approve(by=ANN, changes={"paid_out": 9000})
    assert run.result() == {"paid": 0, "status": "above the claim", "comments": ""}


def test_should_ask_a_director_too_after_two_days(office: Approvals) -> None:
    run = office.start(handler, expense(70))
    office.advance(timedelta(days=2))
    assert asked(office) == [ANN, BOB, DAN]
    office.approve(by=DAN)
    assert run.result() == {"paid": 70, "approved_by": [DAN]}


def test_should_end_as_a_timeout_when_nobody_answers(office: Approvals) -> None:
    run = office.start(handler, expense(70))
    office.let_time_out()
    assert run.result() == {"paid": 0, "status": "timeout", "comments": ""}


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = Expenses(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.pay, stack.approvals)
