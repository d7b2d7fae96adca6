"""Grants, metrics and events of one deployment."""

from __future__ import annotations

import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from hitl_approval.contract import Events, Metrics
from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_stack, granted, of_type, template, text
from tests.infra.test_imported import ARNS


def test_should_grant_reading_by_exact_actions() -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval", encryption_key=kms.Key(stack, "Key"))
    approvals.grant_read(iam.User(stack, "Reader"))
    approvals.grant_read_audit(iam.User(stack, "Auditor"))

    key = {("kms:Decrypt", "<Key.Arn>"), ("kms:DescribeKey", "<Key.Arn>")}
    assert granted(stack, "Reader") == key | {
        ("dynamodb:BatchGetItem", "<ApprovalTable.Arn>"),
        ("dynamodb:GetItem", "<ApprovalTable.Arn>"),
        ("dynamodb:Query", "<ApprovalTable.Arn>"),
        ("dynamodb:Query", "<ApprovalTable.Arn>/index/StatusIndex"),
    }
    assert granted(stack, "Auditor") == key | {
        ("dynamodb:BatchGetItem", "<ApprovalAuditTable.Arn>"),
        ("dynamodb:GetItem", "<ApprovalAuditTable.Arn>"),
        ("dynamodb:Query", "<ApprovalAuditTable.Arn>"),
        ("dynamodb:Scan", "<ApprovalAuditTable.Arn>"),
    }


@pytest.mark.parametrize(
    ("method", "name", "statistic"),
    [
        ("metric_pending", Metrics.PENDING, "Maximum"),
        ("metric_time_to_decision", Metrics.TIME_TO_DECISION, "p50"),
        ("metric_timed_out", Metrics.TIMED_OUT, "Sum"),
        ("metric_notification_failed", Metrics.NOTIFICATION_FAILED, "Sum"),
        ("metric_decided_not_resumed", Metrics.DECIDED_NOT_RESUMED, "Sum"),
    ],
)
def test_should_offer_metrics_of_this_deployment(method: str, name: str, statistic: str) -> None:
    stack = any_stack()
    metric = getattr(HitlApproval(stack, "Approval"), method)()
    assert (metric.namespace, metric.metric_name) == ("HitlApproval", name)
    assert metric.statistic == statistic
    assert list(metric.dimensions) == [Metrics.DEPLOYMENT]


def test_should_let_a_caller_choose_the_statistic() -> None:
    approvals = HitlApproval(any_stack(), "Approval")
    assert approvals.metric_time_to_decision(statistic="p95").statistic == "p95"


def test_should_bring_events_of_this_deployment_to_a_target() -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval")
    approvals.on_decided("ToLedger", target=targets.SqsQueue(sqs.Queue(stack, "Ledger")))
    approvals.on_requested("Asked")
    approvals.on_timed_out("Late")
    approvals.on_event("All", description="everything")

    rules = of_type(template(stack)["Resources"], "AWS::Events::Rule")
    patterns = {
        name: rule["EventPattern"] for name, rule in rules.items() if "EventPattern" in rule
    }
    for pattern in patterns.values():
        assert pattern["source"] == [Events.SOURCE]
        assert [text(name) for name in pattern["detail"]["deployment"]] == ["<ApprovalTable>"]
    types = {name[8:12]: pattern.get("detail-type") for name, pattern in patterns.items()}
    assert types == {
        "ToLe": ["Approval Decided"],
        "Aske": ["Approval Requested"],
        "Late": ["Approval Timed Out"],
        "All" + next(n for n in patterns if n.startswith("ApprovalAll"))[11]: None,
    }


def test_should_say_why_a_table_without_a_stream_publishes_nothing() -> None:
    stack = any_stack()
    audit = dynamodb.Table.from_table_arn(stack, "Audit", ARNS["audit_table_arn"])
    approvals = HitlApproval(stack, "Approval", audit_table=audit)
    assert approvals.publisher_function is None
    with pytest.raises(ValueError, match="audit_table has no stream: give that table stream="):
        approvals.on_event("All")
    with pytest.raises(ValueError, match="nothing would ever be published on event_bus"):
        HitlApproval(stack, "Other", audit_table=audit, event_bus=events.EventBus(stack, "Bus"))
