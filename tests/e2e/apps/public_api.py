"""What users write, for a type checker that sees only the installed wheel."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, assert_type

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_durable_execution_sdk_python import DurableContext

from hitl_approval import (
    ApprovalRequest,
    Outcome,
    Quorum,
    Vote,
    requires_approval,
    wait_for_approval,
)
from hitl_approval.contract import Metrics
from hitl_approval.testing import World, in_memory
from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
    HitlApprovalStack,
    OnTimeout,
)


def deploy(app: App, function: lambda_.Function, person: iam.IGrantable) -> Sequence[Any]:
    """Every kind of thing that a deployment offers."""
    stack = Stack(app, "Payments")
    approvals = HitlApproval(
        stack,
        "Approvals",
        approvers=["ann@example.com", "leads"],
        groups={"leads": ["bob", "cid"]},
        quorum=Quorum.at_least(2),
        on_timeout=OnTimeout.reject(),
        approval_timeout=Duration.hours(8),
        page=ApprovalPage(),
        deliver_to=[EmailApprover("ann@example.com")],
    )
    approvals.attach(function)
    approvals.step(stack, "Ask", subject="Refund", requester="rita", timeout=Duration.hours(1))
    assert_type(approvals.runtime_layer, lambda_.LayerVersion)
    assert_type(approvals.workflow_alias, lambda_.Alias)
    assert_type(approvals.event_bus, events.IEventBus | None)
    HitlApprovalStack(app, "Ours", resume="polling", poll_interval=Duration.seconds(10))
    queue = targets.SqsQueue(sqs.Queue(stack, "Ledger"))
    return (
        assert_type(approvals.grant_request(person), iam.Grant),
        approvals.grant_decide(person),
        approvals.grant_read(person),
        approvals.grant_read_audit(person),
        assert_type(approvals.metric_pending(period=Duration.minutes(1)), cloudwatch.Metric),
        approvals.metric(Metrics.APPROVED, statistic="Sum"),
        assert_type(approvals.on_decided("Decided", target=queue), events.Rule),
    )


def handler(context: DurableContext) -> str:
    """One call in a durable handler."""
    request = ApprovalRequest(
        subject="Refund 17",
        requester="shop",
        timeout=timedelta(hours=8),
        quorum=Quorum.everyone(),
        approvers=["ann", "bob"],
    )
    outcome = wait_for_approval(context, request, name="refund", members=lambda _: None)
    assert_type(outcome, Outcome)
    assert_type(outcome.approved, bool)
    assert_type(outcome.votes, tuple[Vote, ...])
    return outcome.decided_by if outcome.status == "approved" else outcome.comments


@requires_approval(requester="agent")
def delete(name: str, *, force: bool = False) -> int:
    """A tool."""
    return len(name)


def agent(context: DurableContext) -> int:
    """A tool's call, with the durable context before its own arguments."""
    return delete(context, "orders", force=True)


def test_like_this() -> World:
    """The ports in memory."""
    return in_memory()
