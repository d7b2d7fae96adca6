"""`docs/costs.md` and `hitl cost --monitoring` count what a template has."""

from __future__ import annotations

from aws_cdk import Duration

from hitl_approval_cdk import ApprovalPage, HitlApproval, Monitoring
from hitl_approval_cli.commands.cost import ALARM_METRICS
from tests.infra.alarming import watched_by
from tests.infra.synth import any_stack, of_type, template


def test_should_count_each_metric_that_an_alarm_watches() -> None:
    stack = any_stack()
    chosen = Monitoring(pending_age=Duration.hours(1))
    HitlApproval(stack, "Approval", page=ApprovalPage(), monitoring=chosen)
    alarms = of_type(template(stack)["Resources"], "AWS::CloudWatch::Alarm").values()
    assert sum(len(watched_by(alarm)) for alarm in alarms) == ALARM_METRICS
