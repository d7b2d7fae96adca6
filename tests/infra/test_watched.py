"""What is watched of a deployment without a page, and how long a sweep's gauges stand."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb

from hitl_approval_cdk import HitlApproval, Monitoring
from tests.infra.synth import any_stack, template
from tests.infra.test_alarms import named


@pytest.mark.parametrize(("minutes", "period"), [(1, 300), (5, 300), (30, 1800)])
def test_should_keep_a_gauge_until_the_next_sweep(minutes: int, period: int) -> None:
    stack = any_stack()
    chosen = Monitoring(pending_age=Duration.hours(1), dashboard=False)
    HitlApproval(stack, "Approval", sweep_interval=Duration.minutes(minutes), monitoring=chosen)
    found = named(template(stack))
    for name in ("SweepLagAlarm", "PendingAgeAlarm"):
        assert (found[name]["Period"], found[name]["Statistic"]) == (period, "Maximum")


def test_should_watch_nothing_that_is_not_there() -> None:
    stack = any_stack()
    audit: Any = dynamodb.Table.from_table_arn(
        stack, "Audit", f"arn:aws:dynamodb:{stack.region}:{stack.account}:table/audit"
    )
    HitlApproval(stack, "Approval", audit_table=audit, monitoring=Monitoring())
    found = named(template(stack))
    assert not {"EventsLateAlarm", "MessagesLateAlarm"} & set(found)
    assert len(found["ThrottledTablesAlarm"]["Metrics"]) == 1 + 2 * 2
    assert len(found["ThrottledFunctionsAlarm"]["Metrics"]) == 1 + 4
