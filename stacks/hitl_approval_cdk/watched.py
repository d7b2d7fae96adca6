"""What is watched of a deployment: its metrics and those that AWS keeps of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

PERIOD = Duration.minutes(5)
"""Over which metrics are summed: CloudWatch keeps it for 63 days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The parts of one deployment.

    Attributes:
        metric: makes the deployment's metric of a name, one of `Metrics`, summed over `PERIOD`.
        workflow: the workflow function.
        sweep: the sweep function.
        sweep_interval: how often it runs.
        publisher: the publisher function; None without one.
        messenger: the messenger function; None without one.
        functions: all functions, by what they are called.
        tables: all tables, by what they are called.
        dead_letter_queue: the deployment's.
        archives: whether it has an archive.
    """

    metric: Callable[[str], cloudwatch.Metric]
    workflow: lambda_.IFunction
    sweep: lambda_.IFunction
    sweep_interval: Duration
    publisher: lambda_.IFunction | None
    messenger: lambda_.IFunction | None
    functions: Mapping[str, lambda_.IFunction]
    tables: Mapping[str, dynamodb.ITable]
    dead_letter_queue: sqs.IQueue
    archives: bool

    @property
    def gauge_period(self) -> Duration:
        """As long as a sweep's gauges stand: until the next sweep."""
        interval = self.sweep_interval
        if interval.is_unresolved() or interval.to_seconds() < PERIOD.to_seconds():
            return PERIOD
        return interval

    def gauge(self, name: str) -> cloudwatch.Metric:
        """What each sweep measures: the highest value of a period."""
        return self.metric(name).with_(statistic="Maximum", period=self.gauge_period)

    @property
    def operations(self) -> cloudwatch.Metric:
        """Durable operations of the execution that has taken most."""
        return self.workflow.metric(
            "DurableExecutionOperations", statistic="Maximum", period=PERIOD
        )

    @property
    def dead_letters(self) -> cloudwatch.Metric:
        """Messages in the dead-letter queue."""
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(period=PERIOD)

    @property
    def throttled_functions(self) -> cloudwatch.MathExpression:
        """Invocations that Lambda throttled, of all functions."""
        return _sum(
            "Functions",
            [function.metric_throttles(period=PERIOD) for function in self.functions.values()],
        )

    @property
    def throttled_tables(self) -> cloudwatch.MathExpression:
        """Reads and writes that DynamoDB throttled, of all tables."""
        return _sum(
            "Tables",
            [
                table.metric(name, statistic="Sum", period=PERIOD)
                for table in self.tables.values()
                for name in ("ReadThrottleEvents", "WriteThrottleEvents")
            ],
        )


def behind(reader: lambda_.IFunction) -> cloudwatch.Metric:
    """Milliseconds that a function is behind the audit table's stream."""
    return reader.metric("IteratorAge", statistic="Maximum", period=PERIOD)


def _sum(label: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.MathExpression:
    """The sum of metrics; AWS keeps none of what never happened, which is 0."""
    names = [f"{label.lower()}{number}" for number in range(len(metrics))]
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in names),
        using_metrics=dict(zip(names, metrics, strict=True)),
        label=label,
        period=PERIOD,
    )
