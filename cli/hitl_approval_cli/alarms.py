"""Which of a deployment's alarms are on; `hitl doctor` shows it."""

from __future__ import annotations

from typing import Final

from hitl_approval.contract import Metrics
from hitl_approval_cli import output
from hitl_approval_cli.checks import Found
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.functions import find_parts

ALARMS: Final = (
    Metrics.NOTIFICATION_FAILED, Metrics.DECIDED_NOT_RESUMED, Metrics.PENDING_PAST_EXPIRY,
    Metrics.PENDING_AGE, Metrics.ALTERED_RECORD, Metrics.ALTERED_TRAIL, Metrics.ARCHIVE_FAILED,
    Metrics.PASSED_OVER, "SweepFailed", Metrics.SWEEP_LAG, "SweepAbsent", "DeadLetter",
    "EventsLate", "MessagesLate", "ThrottledFunctions", "ThrottledTables", "Operations",
)  # fmt: skip
"""What a deployment's alarms are called, before `Alarm` in their logical ids."""
RUNBOOK: Final = "docs/runbook.md has a section for each"


def alarms(deployment: Deployment) -> Found:
    """Whether an alarm of the deployment is on."""
    made = find_parts(deployment, "AWS::CloudWatch::Alarm", ALARMS, "Alarm")
    if not made:
        return "ok", "none: the deployment is not monitored", ""
    client = deployment.client("cloudwatch")
    answer = client.describe_alarms(AlarmNames=list(made.values()), StateValue="ALARM")
    on = {each["AlarmName"] for each in answer["MetricAlarms"]}
    if not on:
        return "ok", f"none of {output.count(len(made), 'alarm')} is on", ""
    names = ", ".join(f"{name}Alarm" for name, physical in made.items() if physical in on)
    return "wrong", f"on: {names}", RUNBOOK
