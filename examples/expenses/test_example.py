from typing import Any

import pytest
from app import Expenses
from aws_cdk import App
from handler import handler

from hitl_approval.testing import Approvals
from hitl_approval_cdk.testing import assert_attached


@pytest.fixture
def office(approvals: Approvals) -> Approvals:
    approvals.groups = {"managers": ["ann", "bob", "cid"], "finance": ["fay"]}
    return approvals


def expense(amount: int) -> dict[str, Any]:
    return {"employee": "rita", "amount": amount, "purpose": "Train"}


def test_should_pay_small_amounts_without_asking(office: Approvals) -> None:
    assert office.start(handler, expense(50)).result() == {"paid": 50, "approved_by": []}
    assert office.notifications == []


def test_should_ask_one_manager_for_more(office: Approvals) -> None:
    run = office.start(handler, expense(51))
    office.approve(by="cid")
    assert run.result() == {"paid": 51, "approved_by": ["cid"]}


def test_should_ask_two_managers_and_then_finance_for_much(office: Approvals) -> None:
    run = office.start(handler, expense(1001))
    office.approve(by="ann")
    office.approve(by="bob")
    office.approve(by="fay")
    assert run.result() == {"paid": 1001, "approved_by": ["ann", "bob", "fay"]}


def test_should_not_bother_finance_with_what_a_manager_rejected(office: Approvals) -> None:
    run = office.start(handler, expense(1001))
    office.approve(by="ann")
    office.reject(by="bob", comments="Take the bus")
    assert run.result() == {"paid": 0, "status": "rejected", "comments": "Take the bus"}
    assert len(office.notifications) == 1


def test_should_deploy_a_function_that_may_ask() -> None:
    stack = Expenses(App(context={"aws:cdk:bundling-stacks": []}), "Test")
    assert_attached(stack.pay, stack.approvals)
