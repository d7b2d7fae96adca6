"""The sweep runs on a schedule."""

from __future__ import annotations

from tests.infra.synth import Resources, of_type, text


def test_should_sweep_every_five_minutes(default: Resources) -> None:
    [rule] = [
        rule for name, rule in of_type(default, "AWS::Events::Rule").items() if "Sweep" in name
    ]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert rule["State"] == "ENABLED"
    [target] = rule["Targets"]
    assert text(target["Arn"]) == "<ApprovalSweepFunction.Arn>"
