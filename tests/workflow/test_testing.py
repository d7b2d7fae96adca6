"""What embedding teams test with: `hitl_approval.testing.Approvals`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

from hitl_approval import ApprovalRequest, OnTimeout, Policy, Quorum, wait_for_approval
from hitl_approval.domain.errors import Forbidden
from hitl_approval.testing import Approvals, RunFailed


@durable_execution
def refund(event: Any, context: DurableContext) -> dict[str, Any]:
    outcome = wait_for_approval(
        context,
        ApprovalRequest(
            subject=f"Refund {event['amount']}",
            requester="rita",
            approvers=event.get("approvers", ()),
            quorum=Quorum.at_least(event.get("needed", 1)),
            timeout=timedelta(hours=8),
        ),
    )
    paid = context.step(lambda _: event["amount"] if outcome.approved else 0, name="pay")
    return {"status": outcome.status, "by": outcome.decided_by, "paid": paid}


@durable_execution
def chain(_: Any, context: DurableContext) -> list[str]:
    """One after the other, with a day between them."""
    first = wait_for_approval(context, ApprovalRequest(subject="Design", requester="rita"))
    context.wait(Duration.from_days(1))
    second = wait_for_approval(context, ApprovalRequest(subject="Launch", requester="rita"))
    return [first.status, second.status]


@durable_execution
def side_by_side(_: Any, context: DurableContext) -> list[str]:
    def ask(subject: str) -> Any:
        return lambda child: (
            wait_for_approval(child, ApprovalRequest(subject=subject, requester="rita")).status
        )

    return list(context.parallel([ask("Legal"), ask("Finance")]).get_results())


def test_should_go_on_with_what_was_approved(approvals: Approvals) -> None:
    run = approvals.start(refund, {"amount": 70})
    [asked] = approvals.pending()
    assert asked.subject == "Refund 70"
    assert "Refund 70" in approvals.notifications[0].body

    approved = approvals.approve(asked, by="ann", comments="fine")

    assert approved.status == "approved"
    assert run.result() == {"status": "approved", "by": "ann", "paid": 70}
    assert approvals.pending() == []


def test_should_return_a_rejection_a_cancellation_and_silence(approvals: Approvals) -> None:
    for end, status in (
        (approvals.reject, "rejected"),
        (approvals.cancel, "cancelled"),
        (approvals.let_time_out, "timeout"),
    ):
        run = approvals.start(refund, {"amount": 70}, name=status)
        end()
        assert run.result()["status"] == status
        assert run.result()["paid"] == 0


def test_should_keep_the_deployments_rules(approvals: Approvals) -> None:
    approvals.groups = {"leads": ["ann", "bob"]}
    approvals.policy = Policy(on_timeout=OnTimeout.reject())
    run = approvals.start(refund, {"amount": 70, "approvers": ["leads"], "needed": 2})
    with pytest.raises(Forbidden, match="cid is not an approver"):
        approvals.approve(by="cid")
    assert approvals.approve(by="ann").pending
    approvals.let_time_out()
    assert run.result()["status"] == "rejected"


def test_should_follow_a_chain_over_a_day(approvals: Approvals) -> None:
    run = approvals.start(chain, {})
    approvals.approve()
    [second] = approvals.pending()
    assert second.subject == "Launch"
    approvals.reject()
    assert run.result() == ["approved", "rejected"]


def test_should_let_branches_wait_side_by_side(approvals: Approvals) -> None:
    run = approvals.start(side_by_side, {})
    legal, finance = sorted(approvals.pending(), key=lambda a: a.subject, reverse=True)
    assert (legal.subject, finance.subject) == ("Legal", "Finance")
    with pytest.raises(AssertionError, match="name the approval: pending are '"):
        approvals.approve()
    approvals.approve(finance)
    approvals.let_time_out(legal)
    assert run.result() == ["timeout", "approved"]


def test_should_say_what_a_function_still_waits_for(approvals: Approvals) -> None:
    run = approvals.start(refund, {"amount": 70})
    with pytest.raises(AssertionError, match="has not ended: it waits for 'Refund 70'"):
        run.result()


def test_should_show_why_a_function_failed(approvals: Approvals) -> None:
    run = approvals.start(refund, {"amount": 70, "approvers": ["rita"]})
    with pytest.raises(RunFailed, match="approvers: name only the requester") as failed:
        run.result()
    assert failed.value.error_type == "hitl_approval.InvalidRequest"
    with pytest.raises(AssertionError, match="name the approval: pending are none"):
        approvals.approve()
