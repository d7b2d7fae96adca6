"""The alarms of a deployment: one table."""

from __future__ import annotations

from collections.abc import Callable

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from hitl_approval.contract import Metrics


def add(
    scope: Construct,
    topic: sns.ITopic,
    *,
    metric: Callable[[str], cloudwatch.Metric],
    sweep: lambda_.IFunction,
    sweep_interval: Duration,
    dead_letter_queue: sqs.IQueue,
) -> None:
    """Add an alarm for each thing that needs a person.

    Args:
        scope: the deployment's construct.
        topic: gets the alarms.
        metric: makes the deployment's metric of this name, one of `Metrics`.
        sweep: the sweep function.
        sweep_interval: how often it runs.
        dead_letter_queue: the deployment's.
    """
    for construct_id, watched, what in (
        (
            "NotificationFailedAlarm",
            metric(Metrics.NOTIFICATION_FAILED),
            "Approvers could not be notified of a request",
        ),
        (
            "DecidedNotResumedAlarm",
            metric(Metrics.DECIDED_NOT_RESUMED),
            "A decision did not resume its workflow",
        ),
        (
            "PendingPastExpiryAlarm",
            metric(Metrics.PENDING_PAST_EXPIRY),
            "A request was not closed by its workflow in time",
        ),
        (
            "AlteredRecordAlarm",
            metric(Metrics.ALTERED_RECORD),
            "A row is not what its audit trail says, and nobody acted on it: hitl audit verify",
        ),
        (
            "AlteredTrailAlarm",
            metric(Metrics.ALTERED_TRAIL),
            "Somebody has changed or removed an audit event: hitl audit verify --all",
        ),
        (
            "PassedOverAlarm",
            metric(Metrics.PASSED_OVER),
            "The sweep or the publisher could not take something: their logs say what",
        ),
        (
            "SweepFailedAlarm",
            sweep.metric_errors(),
            "The sweep failed: its log says why",
        ),
        (
            "DeadLetterAlarm",
            dead_letter_queue.metric_approximate_number_of_messages_visible(),
            "A start or an event failed every attempt: see the dead-letter queue",
        ),
    ):
        alarm = watched.create_alarm(
            scope,
            construct_id,
            alarm_description=what,
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(SnsAction(topic))
    if sweep_interval.is_unresolved():
        return  # nobody can say here how long two of its periods are
    absent = sweep.metric_invocations(period=sweep_interval).create_alarm(
        scope,
        "SweepAbsentAlarm",
        alarm_description="The sweep has not run for two of its periods: is its schedule on?",
        threshold=1,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluation_periods=2,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    absent.add_alarm_action(SnsAction(topic))
