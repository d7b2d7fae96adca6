"""What embedding teams test with: `hitl_approval.testing.Approvals`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import (
    CompletionConfig,
    Duration,
    ParallelConfig,
    StepConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision

from hitl_approval import (
    ApprovalRequest,
    OnTimeout,
    Policy,
    Quorum,
    Rule,
    approve,
    field,
    reject,
    wait_for_approval,
)
from hitl_approval.domain.errors import ContentChanged, Forbidden
from hitl_approval.testing import Approvals, Run, RunFailed


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
def ask_for(event: Any, context: DurableContext) -> dict[str, Any]:
    request = ApprovalRequest(subject="Refund", requester="rita", context=event)
    outcome = wait_for_approval(context, request)
    return {"status": outcome.status, "by": outcome.decided_by, "rule": outcome.rule}


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


@durable_execution
def reminded(_: Any, context: DurableContext) -> list[str]:
    """An approval, and beside it a reminder after two hours."""

    def ask(child: DurableContext) -> str:
        request = ApprovalRequest(subject="Launch", requester="rita", timeout=timedelta(hours=8))
        return wait_for_approval(child, request).status

    def remind(child: DurableContext) -> str:
        child.wait(Duration.from_hours(2), name="two hours")
        return child.step(lambda _: "reminded", name="remind")

    return list(context.parallel([ask, remind]).get_results())


def flaky(fails: int, retries: int = 9) -> Any:
    """Beside an approval, a step that fails some times and is tried again every minute."""
    left = [fails]

    def fetch(_: Any) -> str:
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionError("nobody answers")
        return "fetched"

    def again(_: Exception, attempt: int) -> RetryDecision:
        return RetryDecision(attempt <= retries, Duration.from_minutes(1))

    def ask(child: DurableContext) -> str:
        return wait_for_approval(child, ApprovalRequest(subject="Go", requester="rita")).status

    def read(child: DurableContext) -> str:
        return child.step(fetch, name="fetch", config=StepConfig(retry_strategy=again))

    @durable_execution
    def handler(_: Any, context: DurableContext) -> list[str]:
        answers = context.parallel([ask, read])
        answers.throw_if_error()
        return list(answers.get_results())

    return handler


@durable_execution
def first_of_two(_: Any, context: DurableContext) -> str:
    """Whoever answers first; then a last word."""

    def ask(subject: str) -> Any:
        return lambda child: (
            wait_for_approval(child, ApprovalRequest(subject=subject, requester="rita")).status
        )

    config = ParallelConfig(completion_config=CompletionConfig(min_successful=1))
    context.parallel([ask("Ann"), ask("Bob")], config=config)
    return wait_for_approval(context, ApprovalRequest(subject="Last", requester="rita")).status


def test_should_let_no_time_pass_beside_an_approval(approvals: Approvals) -> None:
    began = approvals.clock.now()
    run = approvals.start(reminded, {})
    [asked] = approvals.pending()
    approvals.advance(timedelta(hours=1))
    assert approvals.clock.now() - began < timedelta(hours=1, seconds=1)
    assert not named(run, "remind")

    approvals.advance(timedelta(hours=1))
    assert named(run, "remind")
    assert [a.approval_id for a in approvals.pending()] == [asked.approval_id]
    approvals.approve()
    assert run.result() == ["approved", "reminded"]


def test_should_say_until_when_a_function_waits(approvals: Approvals) -> None:
    run = approvals.start(reminded, {})
    approvals.approve()
    said = r"it waits until 2100-01-01T02:00:00\+00:00 \(two hours; `advance` lets time pass\)"
    with pytest.raises(AssertionError, match=said):
        run.result()
    with pytest.raises(AssertionError, match="no approval is pending: the function waits until"):
        approvals.approve()
    approvals.advance(timedelta(hours=2))
    assert run.result() == ["approved", "reminded"]


def test_should_try_a_step_again_when_time_has_passed(approvals: Approvals) -> None:
    run = approvals.start(flaky(fails=2), {})
    approvals.advance(timedelta(seconds=59))
    approvals.approve()
    assert not run.done
    approvals.advance(timedelta(seconds=2))
    assert not run.done
    approvals.advance(timedelta(minutes=1))
    assert run.result() == ["approved", "fetched"]


def test_should_let_what_is_due_go_on_in_its_order(approvals: Approvals) -> None:
    slow = approvals.start(reminded, {}, name="slow")
    quick = approvals.start(flaky(fails=1), {}, name="quick")
    approvals.advance(timedelta(hours=9))
    assert slow.result() == ["timeout", "reminded"]
    assert quick.result() == ["timeout", "fetched"]
    at = {a.subject: a.decided_at for a in approvals.store.approvals.values()}
    assert at["Go"] < at["Launch"] < approvals.clock.now()  # type: ignore[operator]


def test_should_leave_the_timeouts_of_callbacks_to_virtual_time(approvals: Approvals) -> None:
    """The engine's own would pass in real seconds."""
    run = approvals.start(refund, {"amount": 70})
    assert run.callbacks()
    assert run.runner._executor._callback_timeouts == {}


def test_should_say_at_once_that_the_function_has_failed(approvals: Approvals) -> None:
    run = approvals.start(flaky(fails=1, retries=0), {})
    with pytest.raises(RunFailed, match="nobody answers"):
        run.result()
    [left] = approvals.pending()
    for end in (approvals.approve, approvals.reject, approvals.cancel, approvals.let_time_out):
        said = "nobody waits for 'Go' any more: the function has ended: .*nobody answers"
        with pytest.raises(AssertionError, match=said):
            end(left)
    assert approvals.store.approvals[left.approval_id].pending


def test_should_show_a_failure_that_nobody_asked_for(approvals: Approvals) -> None:
    approvals.start(refund, {"amount": 70, "approvers": ["rita"]})
    said = "the function has ended: hitl_approval.InvalidRequest: approvers: name only"
    with pytest.raises(AssertionError, match=said):
        approvals.pending()
    with pytest.raises(AssertionError, match=said):
        approvals.approve()


def test_should_say_at_once_that_the_function_has_ended(approvals: Approvals) -> None:
    run = approvals.start(refund, {"amount": 70})
    approved = approvals.approve()
    said = "any more: the function has ended: it returned .*approved"
    with pytest.raises(AssertionError, match=said):
        approvals.reject(approved)
    with pytest.raises(AssertionError, match="no approval is pending: the function has ended: it"):
        approvals.approve()
    assert run.result()["status"] == "approved"


def test_should_say_at_once_that_a_branch_was_given_up(approvals: Approvals) -> None:
    run = approvals.start(first_of_two, {})
    ann, bob = sorted(approvals.pending(), key=lambda a: a.subject)
    approvals.approve(bob)
    said = "nobody waits for 'Ann' any more: the function waits for .*'Last'"
    with pytest.raises(AssertionError, match=said):
        approvals.approve(ann)
    [last] = approvals.pending()
    approvals.approve(last)
    assert run.result() == "approved"


def test_should_say_at_once_that_no_time_ends_what_was_given_up(approvals: Approvals) -> None:
    approvals.start(first_of_two, {})
    ann, bob = sorted(approvals.pending(), key=lambda a: a.subject)
    approvals.approve(bob)
    with pytest.raises(AssertionError, match="nobody waits for 'Ann' any more: the function"):
        approvals.let_time_out(ann)


def test_should_not_be_suspended_while_a_completed_callback_is_unread(
    approvals: Approvals,
) -> None:
    """Between a decision and the invocation that reads it, a function only seems to wait."""
    run = approvals.start(side_by_side, {})
    first, _ = run.callbacks()
    with patch.object(run.runner._executor, "_invoke_execution"):  # not yet
        run.runner.send_callback_success(first.callback_details.callback_id)
        assert run.waits() == run.callbacks() == []
        assert not run.idle()


def named(run: Run, name: str) -> list[Any]:
    return [operation for operation in run.operations() if operation.name == name]


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


def test_should_follow_the_deployments_rules(approvals: Approvals) -> None:
    approvals.rules = [
        Rule("small", when=field("amount") < 100, then=approve()),
        Rule("never", when=field("amount") > 1_000, then=reject()),
        Rule("big", when=field("amount") >= 500, approvers=["cfo"]),
    ]
    small = approvals.start(ask_for, {"amount": 5}, name="small").result()
    assert small == {"status": "approved", "by": "rule:small", "rule": "small"}
    never = approvals.start(ask_for, {"amount": 5_000}, name="never").result()
    assert never == {"status": "rejected", "by": "rule:never", "rule": "never"}
    assert approvals.notifications == []
    assert {message.kind for message in approvals.messages()} == {"outcome"}

    big = approvals.start(ask_for, {"amount": 500}, name="big")
    with pytest.raises(Forbidden, match="ann is not an approver"):
        approvals.approve(by="ann")
    approvals.approve(by="cfo")
    assert big.result() == {"status": "approved", "by": "cfo", "rule": "big"}

    unread = approvals.start(ask_for, {"amount": "5"}, name="unread")
    approvals.approve(by="ann")
    assert unread.result() == {"status": "approved", "by": "ann", "rule": None}


def test_should_follow_a_chain_over_a_day(approvals: Approvals) -> None:
    run = approvals.start(chain, {})
    approvals.approve()
    assert approvals.pending() == []
    approvals.advance(timedelta(days=1))
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
    with pytest.raises(AssertionError, match="no approval is pending: the function has ended: "):
        approvals.approve()


def kinds(approvals: Approvals, to: str | None = None) -> list[str]:
    return [message.kind for message in approvals.messages(to)]


def test_should_show_what_each_person_was_sent(approvals: Approvals) -> None:
    approvals.start(refund, {"amount": 70, "approvers": ["ann", "bob"]})
    assert [message.recipient for message in approvals.messages()] == ["ann", "bob"]
    assert "Refund 70" in approvals.messages("ann")[0].body

    approvals.advance(timedelta(hours=4))
    assert kinds(approvals, "bob") == ["requested", "reminder"]

    approvals.approve(by="ann")
    assert kinds(approvals, "ann") == ["requested", "reminder"]
    assert kinds(approvals, "bob") == ["requested", "reminder", "outcome"]
    assert [message.recipient for message in approvals.messages(kind="outcome")] == ["bob", "rita"]


def test_should_remind_as_the_deployment_says(approvals: Approvals) -> None:
    approvals.reminders = [timedelta(hours=1), timedelta(hours=2), timedelta(hours=3)]
    approvals.start(refund, {"amount": 70, "approvers": ["ann"]})
    approvals.let_time_out()
    assert kinds(approvals, "ann") == ["requested", *["reminder"] * 3, "expired"]


def test_should_show_that_one_who_cannot_be_reached_keeps_nobody_else(approvals: Approvals) -> None:
    approvals.unreachable.add("bob")
    approvals.start(refund, {"amount": 70, "approvers": ["ann", "bob"]})
    approvals.advance(timedelta(hours=1))
    assert kinds(approvals, "ann") == ["requested"]
    assert kinds(approvals, "bob") == []
    approvals.unreachable.clear()
    approvals.advance(timedelta(hours=1))
    assert kinds(approvals, "bob") == ["requested"]


@dataclass
class Reply:
    """What an approver of a refund fills in."""

    reason: str
    due: date
    urgent: bool = False


@durable_execution
def asks_for_values(event: Any, context: DurableContext) -> dict[str, Any]:
    outcome = wait_for_approval(
        context,
        ApprovalRequest(
            subject="Refund",
            requester="rita",
            approvers=["ann", "bob"],
            quorum=Quorum.at_least(event["needed"]),
            context={"amount": 100},
            form=Reply,
            editable=["amount"],
        ),
    )
    if not outcome.approved:
        return {"input": outcome.input, "changes": len(outcome.changes)}
    assert isinstance(outcome.input, Reply)
    assert isinstance(outcome.input.due, date)
    changes = {path: [one.before, one.after] for path, one in outcome.changes.items()}
    return {
        "reason": outcome.input.reason,
        "urgent": outcome.input.urgent,
        "changes": changes,
        "votes": [vote.input["reason"] for vote in outcome.votes if vote.input],
    }


def test_should_give_the_function_what_approvers_filled_in_and_changed(
    approvals: Approvals,
) -> None:
    run = approvals.start(asks_for_values, {"needed": 2})
    [asked] = approvals.pending()
    approvals.approve(by="ann", input={"reason": "fine", "due": "2026-01-31"})
    edited = approvals.approve(
        by="bob",
        input={"reason": "less", "due": "2026-02-28", "urgent": True},
        changes={"amount": 70},
    )
    assert edited.pending
    assert [m.recipient for m in approvals.messages(kind="changed")] == ["ann"]
    with pytest.raises(ContentChanged):
        approvals.approve(asked, by="ann", input={"reason": "fine", "due": "2026-01-31"})
    approvals.approve(by="ann", input={"reason": "then so", "due": "2026-01-31"})
    assert run.result() == {
        "reason": "then so",
        "urgent": False,
        "changes": {"amount": [100, 70]},
        "votes": ["less", "then so"],
    }


def test_should_give_no_values_of_what_was_not_approved(approvals: Approvals) -> None:
    run = approvals.start(asks_for_values, {"needed": 2})
    approvals.approve(
        by="bob", input={"reason": "less", "due": "2026-02-28"}, changes={"amount": 70}
    )
    approvals.reject(by="ann")
    assert run.result() == {"input": None, "changes": 0}


def test_should_ask_back_and_answer_while_the_function_waits(approvals: Approvals) -> None:
    run = approvals.start(refund, {"amount": 70, "approvers": ["ann", "bob"]})
    asked = approvals.comment("Which month?", by="ann", question=True)
    assert (asked.status, asked.thread_length) == ("pending", 1)
    assert kinds(approvals, "rita") == ["question"]
    [question] = approvals.thread()
    approvals.comment("May", by="rita", answers=question.sequence)
    assert kinds(approvals, "ann") == ["requested", "answer"]
    assert kinds(approvals, "bob") == ["requested"]
    with pytest.raises(Forbidden):
        approvals.comment("hello", by="eve")
    approved = approvals.approve(by="ann")
    assert [each.text for each in approvals.thread(approved)] == ["Which month?", "May"]
    assert run.result() == {"status": "approved", "by": "ann", "paid": 70}
