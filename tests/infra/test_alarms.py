"""The alarms."""

from __future__ import annotations

from aws_cdk import aws_sns as sns

from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_stack, of_type, template, text


def test_should_send_alarms_to_the_topic_that_it_is_given() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", alarm_topic=sns.Topic(stack, "Operators"))
    alarms = of_type(template(stack)["Resources"], "AWS::CloudWatch::Alarm").values()
    assert {alarm["MetricName"] for alarm in alarms} == {
        "NotificationFailed",
        "DecidedNotResumed",
        "PendingPastExpiry",
        "AlteredRecord",
        "AlteredTrail",
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
