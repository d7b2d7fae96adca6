"""Grants, metrics, alarms and events, of a deployment made here and of an imported one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from hitl_approval.contract import Events, Metrics
from hitl_approval_cdk import HitlApproval
from hitl_approval_cdk.deployment import ApprovalDeployment
from tests.infra.synth import any_app, any_stack, of_type, permissions, template, text

ACCOUNT = "123456789012"
ARNS = {
    "table_arn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/approvals",
    "audit_table_arn": f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/audit",
    "topic_arn": f"arn:aws:sns:eu-central-1:{ACCOUNT}:approvers",
    "workflow_alias_arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:workflow:live",
    "approval_function_arn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:approval",
}


def imported(stack: Stack, **changed: Any) -> ApprovalDeployment:
    return HitlApproval.from_attributes(stack, "Imported", **(ARNS | changed))


def granted(stack: Stack, user: str) -> set[tuple[str, str]]:
    return permissions(template(stack)["Resources"]).get(user, set())


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


def test_should_grant_on_an_imported_deployment_what_it_grants_on_its_own() -> None:
    stack = any_stack()
    approvals = imported(stack)
    for name in ("request", "decide", "read", "read_audit"):
        getattr(approvals, f"grant_{name}")(iam.User(stack, name))
    assert granted(stack, "request") == {("lambda:InvokeFunction", ARNS["workflow_alias_arn"])}
    assert granted(stack, "decide") == {("lambda:InvokeFunction", ARNS["approval_function_arn"])}
    assert ("dynamodb:GetItem", ARNS["table_arn"]) in granted(stack, "read")
    assert ("dynamodb:Scan", ARNS["audit_table_arn"]) in granted(stack, "readaudit")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"table_arn": ARNS["table_arn"].replace(ACCOUNT, "999999999999")},
            (
                "table_arn belongs to account 999999999999, this stack to 123456789012: a "
                "deployment grants within its own account only; deploy HitlApproval in this one"
            ),
        ),
        (
            {"topic_arn": ARNS["topic_arn"].replace("eu-central-1", "us-east-1")},
            "topic_arn is in us-east-1, this stack in eu-central-1: import it in its region",
        ),
        ({"table_arn": "approvals"}, "table_arn must be an ARN, got 'approvals'"),
    ],
)
def test_should_refuse_to_import_what_it_cannot_grant(
    changed: Mapping[str, Any], message: str
) -> None:
    here = Environment(account=ACCOUNT, region="eu-central-1")
    stack = Stack(any_app(), "Embedding", env=here)
    with pytest.raises(ValueError, match=r"^t") as refused:
        imported(stack, **changed)
    assert str(refused.value) == message


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


def test_should_send_alarms_to_the_topic_that_it_is_given() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", alarm_topic=sns.Topic(stack, "Operators"))
    alarms = of_type(template(stack)["Resources"], "AWS::CloudWatch::Alarm").values()
    assert {alarm["MetricName"] for alarm in alarms} == {
        "NotificationFailed",
        "DecidedNotResumed",
        "PendingPastExpiry",
        "AlteredRecord",
        "PassedOver",
        "Errors",
        "Invocations",
        "ApproximateNumberOfMessagesVisible",
    }
    for alarm in alarms:
        assert [text(action) for action in alarm["AlarmActions"]] == ["<Operators>"]
        absent = alarm["MetricName"] == "Invocations"
        assert alarm["Threshold"] == absent
        assert alarm["TreatMissingData"] == ("breaching" if absent else "notBreaching")
    for metric in ("Errors", "Invocations"):
        (alarm,) = (alarm for alarm in alarms if alarm["MetricName"] == metric)
        assert [text(d["Value"]) for d in alarm["Dimensions"]] == ["<ApprovalSweepFunction>"]


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


def test_should_publish_to_the_bus_that_it_is_given() -> None:
    stack = any_stack()
    bus = events.EventBus(stack, "Bus")
    approvals = HitlApproval(stack, "Approval", event_bus=bus)
    approvals.on_event("All")
    assert ("events:PutEvents", "<Bus.Arn>") in granted(stack, "ApprovalPublisherRole")
    [rule] = [
        rule
        for rule in of_type(template(stack)["Resources"], "AWS::Events::Rule").values()
        if "EventPattern" in rule
    ]
    assert text(rule["EventBusName"]) == "<Bus>"


def test_should_say_why_a_table_without_a_stream_publishes_nothing() -> None:
    stack = any_stack()
    audit = dynamodb.Table.from_table_arn(stack, "Audit", ARNS["audit_table_arn"])
    approvals = HitlApproval(stack, "Approval", audit_table=audit)
    assert approvals.publisher_function is None
    with pytest.raises(ValueError, match="audit_table has no stream: give that table stream="):
        approvals.on_event("All")
    with pytest.raises(ValueError, match="nothing would ever be published on event_bus"):
        HitlApproval(stack, "Other", audit_table=audit, event_bus=events.EventBus(stack, "Bus"))


class TestSigning:
    def signing_key(self, stack: Stack) -> kms.Key:
        return kms.Key(
            stack,
            "Signing",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
        )

    def test_should_let_who_writes_the_audit_sign_it_and_who_reads_it_verify(self) -> None:
        stack = any_stack()
        approvals = HitlApproval(stack, "Approval", signing_key=self.signing_key(stack))
        approvals.grant_read_audit(iam.User(stack, "Auditor"))
        found = permissions(template(stack)["Resources"])
        uses = {
            role: {action for action, resource in allowed if resource == "<Signing.Arn>"}
            for role, allowed in found.items()
        }
        assert uses == {
            "ApprovalWorkflowRole": {"kms:Sign"},
            "ApprovalApprovalRole": {"kms:Sign", "kms:Verify"},
            "ApprovalSweepRole": {"kms:Sign"},
            "ApprovalPublisherRole": set(),
            "Auditor": {"kms:Verify"},
        }
        functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function")
        for function in functions.values():
            variables = function["Environment"]["Variables"]
            assert text(variables["SIGNING_KEY_ARN"]) == "<Signing.Arn>"

    def test_should_refuse_a_key_that_cannot_sign(self) -> None:
        stack = any_stack()
        with pytest.raises(ValueError, match="signing_key must be a key that signs, got SYMM"):
            HitlApproval(stack, "Approval", signing_key=kms.Key(stack, "Key"))
