"""Alarms on the local cloud: those on a sum are made, and each other goes off by its metric."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Duration
from botocore.exceptions import WaiterError

from hitl_approval.contract import Metrics
from hitl_approval_cdk import ApprovalPage, HitlApproval, Monitoring
from tests.infra.alarming import emitted
from tests.infra.synth import any_stack, template
from tests.infra.test_alarms import named
from tests.local.harness import Emulator, any_name

OF_A_SUM = {
    "ComparisonOperator": "GreaterThanThreshold",
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "Metrics": [
        {"Id": "sum", "Expression": "FILL(m0, 0)", "ReturnData": True},
        {
            "Id": "m0",
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/Lambda", "MetricName": "Throttles"},
                "Period": 300,
                "Stat": "Sum",
            },
        },
    ],
}


def test_make_alarms_on_sums(stock: Emulator, cloud: Emulator) -> None:
    def made(emulator: Emulator) -> list[Any]:
        cloudformation = emulator.client("cloudformation")
        name = any_name("stack")
        resources = {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": OF_A_SUM}}
        body = json.dumps({"Resources": resources})
        cloudformation.create_stack(StackName=name, TemplateBody=body)
        wait = cloudformation.get_waiter("stack_create_complete")
        try:
            wait.wait(StackName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 200})
        except WaiterError:
            return []
        found = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        physical = found[0]["PhysicalResourceId"]
        alarms = emulator.client("cloudwatch").describe_alarms(AlarmNames=[physical])
        return list(alarms["MetricAlarms"])

    assert made(stock) == []
    [alarm] = made(cloud)
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"


@pytest.fixture(scope="module")
def alarms() -> dict[str, Any]:
    """Every alarm that a deployment can have."""
    stack = any_stack()
    chosen = Monitoring(pending_age=Duration.minutes(10))
    HitlApproval(stack, "Approval", page=ApprovalPage(), monitoring=chosen)
    return named(template(stack))


OURS = (
    "NotificationFailedAlarm",
    "DecidedNotResumedAlarm",
    "PendingPastExpiryAlarm",
    "PendingAgeAlarm",
    "AlteredRecordAlarm",
    "AlteredTrailAlarm",
    "PassedOverAlarm",
    "SweepLagAlarm",
)
OF_AWS = (
    "SweepFailedAlarm",
    "DeadLetterAlarm",
    "EventsLateAlarm",
    "MessagesLateAlarm",
    "OperationsAlarm",
)


@pytest.mark.parametrize("name", [*OURS, *OF_AWS])
def test_should_go_off_by_its_metric_and_be_over_without(
    cloud: Emulator, alarms: dict[str, Any], name: str
) -> None:
    """The emulator's own evaluation, of what our code writes or AWS would put."""
    alarm = alarms[name]
    client, table = cloud.client("cloudwatch"), any_name("table")
    # The emulator tells metrics of one name apart by their namespace alone.
    namespace = any_name("namespace")
    dimensions = [{"Name": each["Name"], "Value": table} for each in alarm["Dimensions"]]
    plain = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold",
             "ComparisonOperator", "TreatMissingData")  # fmt: skip
    client.put_metric_alarm(
        AlarmName=table,
        Namespace=namespace,
        Dimensions=dimensions,
        **{field: alarm[field] for field in plain},
    )

    def put(value: float) -> str:
        datum = {"MetricName": alarm["MetricName"], "Dimensions": dimensions, "Value": value}
        client.put_metric_data(Namespace=namespace, MetricData=[datum])
        return state()

    def state() -> str:
        [found] = client.describe_alarms(AlarmNames=[table])["MetricAlarms"]
        return str(found["StateValue"])

    assert put(0) == "OK"
    if alarm["Namespace"] == Metrics.NAMESPACE:
        metric = alarm["MetricName"]
        values = [one.value for one in emitted(metric) if one.name == metric]
    else:
        values = [alarm["Threshold"] + 1]
    assert [put(value) for value in values][-1] == "ALARM"
