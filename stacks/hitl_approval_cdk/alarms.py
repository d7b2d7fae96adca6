"""The alarms of a deployment: one table. Each has its section in `docs/runbook.md`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from hitl_approval.contract import Metrics
from hitl_approval_cdk.monitoring import Monitoring
from hitl_approval_cdk.watched import Watched, behind

RUNBOOK = "docs/runbook.md"
"""What every alarm's description ends with, and the alarm's anchor in it."""

_TWO_TRIES = Duration.minutes(30)
"""What cannot be archived is tried again, and counts again, each 15 minutes: one try is in each."""
_Comparison = cloudwatch.ComparisonOperator


@dataclass(frozen=True, slots=True, kw_only=True)
class _Alarm:
    """One alarm.

    Attributes:
        construct_id: its name, and that of its section in the runbook.
        metric: what it watches.
        what: what it says, one sentence.
        threshold: more than this is an alarm.
        comparison: with the threshold. Default: more than it.
        periods: for so long. Default: one.
        absent: whether it is an alarm that there are no values. Default: False.
    """

    construct_id: str
    metric: cloudwatch.IMetric
    what: str
    threshold: float = 0
    comparison: cloudwatch.ComparisonOperator = _Comparison.GREATER_THAN_THRESHOLD
    periods: int = 1
    absent: bool = False


def add(
    scope: Construct, watched: Watched, chosen: Monitoring, topic: sns.ITopic | None
) -> Sequence[cloudwatch.Alarm]:
    """Add an alarm for each thing that needs a person.

    Args:
        scope: the deployment's construct.
        watched: its parts.
        chosen: from which values on there is an alarm.
        topic: gets each alarm, and its end; None for none.
    """
    made = []
    for each in _alarms(watched, chosen):
        alarm = cloudwatch.Alarm(
            scope,
            each.construct_id,
            metric=each.metric,
            alarm_description=f"{each.what}: {RUNBOOK}#{each.construct_id.lower()}",
            threshold=each.threshold,
            comparison_operator=each.comparison,
            evaluation_periods=each.periods,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING
            if each.absent
            else cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if topic is not None:
            alarm.add_alarm_action(SnsAction(topic))
            alarm.add_ok_action(SnsAction(topic))
        made.append(alarm)
    return made


def _alarms(watched: Watched, chosen: Monitoring) -> Iterator[_Alarm]:
    yield from _of_requests(watched, chosen)
    yield from _of_records(watched, chosen)
    yield from _of_the_sweep(watched, chosen)
    yield from _of_aws(watched, chosen)


def _of_requests(watched: Watched, chosen: Monitoring) -> Iterator[_Alarm]:
    yield _Alarm(
        construct_id="NotificationFailedAlarm",
        metric=watched.metric(Metrics.NOTIFICATION_FAILED),
        what="Approvers could not be notified of a request",
        threshold=chosen.notifications_failed,
    )
    yield _Alarm(
        construct_id="DecidedNotResumedAlarm",
        metric=watched.metric(Metrics.DECIDED_NOT_RESUMED),
        what="A decision did not resume its workflow",
        threshold=chosen.decided_not_resumed,
    )
    yield _Alarm(
        construct_id="PendingPastExpiryAlarm",
        metric=watched.metric(Metrics.PENDING_PAST_EXPIRY),
        what="A request was not closed by its workflow in time",
        threshold=chosen.pending_past_expiry,
    )
    if chosen.pending_age is not None:
        yield _Alarm(
            construct_id="PendingAgeAlarm",
            metric=watched.gauge(Metrics.PENDING_AGE),
            what="One in twenty pending requests is older than it should be",
            threshold=_seconds(chosen.pending_age),
        )


def _of_records(watched: Watched, chosen: Monitoring) -> Iterator[_Alarm]:
    """What nobody may ever have changed, of which no number is well; and what is not archived."""
    yield _Alarm(
        construct_id="AlteredRecordAlarm",
        metric=watched.metric(Metrics.ALTERED_RECORD),
        what="A row is not what its audit trail says, and nobody acted on it",
    )
    yield _Alarm(
        construct_id="AlteredTrailAlarm",
        metric=watched.metric(Metrics.ALTERED_TRAIL),
        what="Somebody has changed or removed an audit event",
    )
    if watched.archives:
        yield _Alarm(
            construct_id="ArchiveFailedAlarm",
            metric=watched.metric(Metrics.ARCHIVE_FAILED).with_(period=_TWO_TRIES),
            what="Audit events are not archived",
            threshold=chosen.archive_failed,
        )


def _of_the_sweep(watched: Watched, chosen: Monitoring) -> Iterator[_Alarm]:
    yield _Alarm(
        construct_id="PassedOverAlarm",
        metric=watched.metric(Metrics.PASSED_OVER),
        what="A record or an event could not be taken for what it is",
        threshold=chosen.passed_over,
    )
    yield _Alarm(
        construct_id="SweepFailedAlarm",
        metric=watched.sweep.metric_errors(),
        what="The sweep failed",
    )
    yield _Alarm(
        construct_id="SweepLagAlarm",
        metric=watched.gauge(Metrics.SWEEP_LAG),
        what="The sweep does not come to all that waits for it",
        threshold=_seconds(chosen.sweep_lag),
    )
    if watched.sweep_interval.is_unresolved():
        return  # nobody can say here how long two of its periods are
    yield _Alarm(
        construct_id="SweepAbsentAlarm",
        metric=watched.sweep.metric_invocations(period=watched.sweep_interval),
        what="The sweep has not run for two of its periods",
        threshold=1,
        comparison=_Comparison.LESS_THAN_THRESHOLD,
        periods=2,
        absent=True,
    )


def _of_aws(watched: Watched, chosen: Monitoring) -> Iterator[_Alarm]:
    yield _Alarm(
        construct_id="DeadLetterAlarm",
        metric=watched.dead_letters,
        what="A start or an event failed every attempt",
        threshold=chosen.dead_letters,
    )
    for construct_id, reader, what in (
        ("EventsLateAlarm", watched.publisher, "Events reach the bus and the inboxes late"),
        ("MessagesLateAlarm", watched.messenger, "Messages reach people late"),
    ):
        if reader is not None:
            yield _Alarm(
                construct_id=construct_id,
                metric=behind(reader),
                what=what,
                threshold=1000 * _seconds(chosen.stream_lag),
            )
    yield _Alarm(
        construct_id="ThrottledFunctionsAlarm",
        metric=watched.throttled_functions,
        what="Lambda throttles the deployment's functions",
        threshold=chosen.throttles,
    )
    yield _Alarm(
        construct_id="ThrottledTablesAlarm",
        metric=watched.throttled_tables,
        what="DynamoDB throttles the deployment's tables",
        threshold=chosen.throttles,
    )
    yield _Alarm(
        construct_id="OperationsAlarm",
        metric=watched.operations,
        what="An execution has nearly taken all of its durable operations",
        threshold=chosen.operations,
        comparison=_Comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    )


def _seconds(duration: Duration) -> float:
    return duration.to_seconds()
