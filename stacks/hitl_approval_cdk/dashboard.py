"""The dashboard of a deployment: how the requests stand, and whether all is well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from hitl_approval.contract import MAX_OPERATIONS, Channel, Metrics
from hitl_approval_cdk.alarms import RUNBOOK
from hitl_approval_cdk.monitoring import Monitoring
from hitl_approval_cdk.watched import PERIOD, Watched, behind

_WIDTH = 24
"""Of a dashboard, in CloudWatch's units."""
_CHANNELS = {"sns": "SNS", "ses": "SES", "slack": "Slack", "webhook": "Webhooks"}
"""As people write them."""


def add(
    scope: Construct, watched: Watched, chosen: Monitoring, alarms: Sequence[cloudwatch.IAlarm]
) -> cloudwatch.Dashboard:
    """Add the dashboard.

    Args:
        scope: the deployment's construct, whose path is its title.
        watched: its parts.
        chosen: the values from which on there is an alarm.
        alarms: shown at the top.
    """
    made = cloudwatch.Dashboard(scope, "Dashboard", default_interval=Duration.days(1))
    made.add_widgets(
        cloudwatch.TextWidget(
            markdown=f"# Approvals: {scope.node.path}\n"
            f"What each alarm means, and how to fix it: `{RUNBOOK}`",
            width=_WIDTH,
            height=2,
        )
    )
    made.add_widgets(
        cloudwatch.AlarmStatusWidget(
            title="Alarms", alarms=list(alarms), width=_WIDTH, height=_alarm_height(len(alarms))
        )
    )
    for row in (
        _requests(watched),
        _outcomes(watched),
        _messages(watched),
        _repairs(watched),
        _limits(watched, chosen),
    ):
        made.add_widgets(*row)
    return made


def _alarm_height(alarms: int) -> int:
    """Four alarms stand in a row, which takes one unit; the title takes one more."""
    return 1 + -(-alarms // 4)


def _requests(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    age = watched.gauge(Metrics.PENDING_AGE)
    waited = watched.metric(Metrics.TIME_TO_DECISION)
    return (
        _graph("Pending requests", "requests", [watched.gauge(Metrics.PENDING)], [Metrics.PENDING]),
        _graph("Age of pending requests", "hours", [_per(3600, age, "age", "95 % are younger")]),
        _graph(
            "Time to decision",
            "minutes",
            [
                _per(60, waited.with_(statistic="p50"), "p50", "Half of them (p50)"),
                _per(60, waited.with_(statistic="p95"), "p95", "95 % of them (p95)"),
            ],
        ),
    )


def _outcomes(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    ends = {
        Metrics.APPROVED: Metrics.APPROVED,
        Metrics.REJECTED: Metrics.REJECTED,
        Metrics.TIMED_OUT: "Timed out",
        Metrics.CANCELLED: "Withdrawn",
    }
    return (
        _graph(
            "Requests made", "requests", [watched.metric(Metrics.REQUESTED)], [Metrics.REQUESTED]
        ),
        _graph(
            "Outcomes",
            "requests",
            [watched.metric(name) for name in ends],
            list(ends.values()),
            stacked=True,
        ),
        _graph("Reminders sent", "messages", [watched.metric(Metrics.REMINDERS_SENT)], ["Sent"]),
    )


def _messages(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    failed = watched.metric(Metrics.SEND_FAILED)
    channels = get_args(Channel)
    by_channel = [
        cloudwatch.Metric(
            namespace=failed.namespace,
            metric_name=failed.metric_name,
            dimensions_map={**(failed.dimensions or {}), Metrics.CHANNEL: channel},
            statistic="Sum",
            period=PERIOD,
        )
        for channel in channels
    ]
    readers = {"Events": watched.publisher, "Messages": watched.messenger}
    late = [
        _per(1000, behind(reader), label.lower(), label)
        for label, reader in readers.items()
        if reader is not None
    ]
    graphs = [
        _graph(
            "Failed tries to send, by channel",
            "tries",
            by_channel,
            [_CHANNELS[channel] for channel in channels],
        ),
        _graph(
            "People not notified",
            "people and topics",
            [watched.metric(Metrics.NOTIFICATION_FAILED)],
            ["Not notified"],
        ),
    ]
    if late:
        graphs.append(_graph("Events and messages behind", "seconds", late))
    return graphs


def _repairs(watched: Watched) -> Sequence[cloudwatch.IWidget]:
    amiss = {
        Metrics.DECIDED_NOT_RESUMED: "Decided, not resumed",
        Metrics.PENDING_PAST_EXPIRY: "Pending past expiry",
        Metrics.PASSED_OVER: "Passed over",
    }
    return (
        _graph(
            "What the sweep found amiss",
            "records",
            [watched.metric(name) for name in amiss],
            list(amiss.values()),
        ),
        _graph("Sweep lag", "minutes", [_per(60, watched.gauge(Metrics.SWEEP_LAG), "lag", "Lag")]),
        _graph("Dead-letter queue", "messages", [watched.dead_letters], ["Messages"]),
    )


def _limits(watched: Watched, chosen: Monitoring) -> Sequence[cloudwatch.IWidget]:
    return (
        _graph(
            "Errors of functions",
            "invocations",
            [function.metric_errors(period=PERIOD) for function in watched.functions.values()],
            list(watched.functions),
        ),
        _graph("Throttles", "calls", [watched.throttled_functions, watched.throttled_tables]),
        _graph(
            "Operations of the longest execution",
            "operations",
            [watched.operations],
            ["Operations"],
            lines={"Alarm": chosen.operations, "The most that Lambda allows": MAX_OPERATIONS},
        ),
    )


def _per(unit: int, metric: cloudwatch.Metric, name: str, label: str) -> cloudwatch.MathExpression:
    """A metric in a larger unit; its name is what the graph's sums call it."""
    return cloudwatch.MathExpression(
        expression=f"{name} / {unit}",
        using_metrics={name: metric},
        label=label,
        period=metric.period,
    )


def _graph(
    title: str,
    unit: str,
    metrics: Sequence[cloudwatch.IMetric],
    labels: Sequence[str] = (),
    *,
    stacked: bool = False,
    lines: dict[str, float] | None = None,
) -> cloudwatch.GraphWidget:
    """One graph, a third of the dashboard wide, from 0 up, with its unit at the axis."""
    labelled = [
        metric.with_(label=label) if isinstance(metric, cloudwatch.Metric) else metric
        for metric, label in zip(metrics, labels or [""] * len(metrics), strict=True)
    ]
    return cloudwatch.GraphWidget(
        title=title,
        left=labelled,
        left_y_axis=cloudwatch.YAxisProps(label=unit, min=0, show_units=False),
        left_annotations=[
            cloudwatch.HorizontalAnnotation(label=label, value=value)
            for label, value in (lines or {}).items()
        ],
        stacked=stacked,
        width=_WIDTH // 3,
        height=6,
    )
