"""The sweep function and the schedule on which it runs."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from hitl_approval_cdk.functions import FunctionSettings, PackagedFunction
from hitl_approval_cdk.specifications import SWEEP


class SweepFunction(PackagedFunction):
    """Repairs on a schedule what a crash or an operator left behind.

    Args:
        scope: where it belongs; its schedule stands beside it.
        construct_id: its name there.
        settings: the resources and options that it works with, `sweep_interval` among them.
        workflow: whose executions it resumes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: FunctionSettings,
        workflow: lambda_.Function,
    ) -> None:
        super().__init__(
            scope, construct_id, specification=SWEEP, settings=settings, workflow=workflow
        )
        events.Rule(
            scope,
            "SweepSchedule",
            schedule=events.Schedule.rate(settings.options["sweep_interval"]),
            targets=[targets.LambdaFunction(self)],
        )
