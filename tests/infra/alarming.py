"""What makes each alarm of a deployment go off: a scenario in memory, or what AWS keeps."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from io import StringIO
from typing import Any

from hitl_approval.adapters.system import EmbeddedMetrics
from hitl_approval.contract import Metrics
from hitl_approval.domain.errors import RecordAltered, Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.gauges import InMemoryGauges
from hitl_approval.usecases.archive import ArchiveService
from hitl_approval.usecases.publish import Alteration
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_id, any_request, declared

HOUR = timedelta(hours=1)
OF_AWS: Mapping[tuple[str, str], str] = {
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Invocations"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
    ("AWS/Lambda", "IteratorAge"): "FunctionName",
    ("AWS/Lambda", "DurableExecutionOperations"): "FunctionName",
    ("AWS/DynamoDB", "ReadThrottleEvents"): "TableName",
    ("AWS/DynamoDB", "WriteThrottleEvents"): "TableName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
}
"""What AWS keeps without being asked, and of what: "Types of metrics for Lambda functions" and
"Monitoring durable functions" in Lambda's guide, "DynamoDB metrics and dimensions" and "Available
CloudWatch metrics for Amazon SQS" in the others'."""


@dataclass(frozen=True)
class Point:
    """One value of a metric, as CloudWatch keeps it."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    value: float


def _ask(world: World, callback_id: str = "callback-1") -> str:
    approval_id = any_id()
    resolved = ResolvedRequest(request=any_request(), approvers=(), policy=Policy(), timeout=HOUR)
    world.requests.submit(
        resolved,
        approval_id=approval_id,
        execution_arn=f"arn/{approval_id}",
        creation_token="token",
        callback_id=callback_id,
    )
    return approval_id


def _topic_refuses(world: World) -> None:
    world.requests.note_notification_failed(_ask(world), "the topic did not take it")


def _workflow_is_not_resumed(world: World) -> None:
    world.callbacks.answer = "delayed"
    world.decisions.decide(_ask(world), declared("bob"), "approved")
    world.clock.advance(HOUR)
    world.sweeps.sweep()


def _workflow_is_gone(world: World) -> None:
    _ask(world)
    world.clock.advance(2 * HOUR)
    world.sweeps.sweep()


def _row_is_written_by_hand(world: World) -> None:
    approval_id = _ask(world)
    record = world.store.approvals[approval_id]
    world.store.approvals[approval_id] = replace(record, status="approved", decided_by="eve")
    try:
        world.requests.check_status(approval_id)
    except RecordAltered:
        return
    raise AssertionError


def _event_is_removed(world: World) -> None:
    world.publishing.note_altered([Alteration({"approval_id": "a", "sequence": 1}, {}, {})])


def _archive_refuses(world: World) -> None:
    """Both when an event comes, and when what is kept for later is tried again."""
    service = ArchiveService(
        archive=_Refusing(), unarchived=_Refusing(), signer=_Refusing(), clock=world.clock,
        meter=world.meter, deployment="table",
    )  # fmt: skip
    events = world.store.history(_ask(world))
    for accept in (service.accept, service.accept_again):
        with suppress(Unavailable):
            accept(events)


class _Refusing:
    """A bucket, a queue and a key that nobody may use."""

    def last(self) -> Any:
        raise Unavailable("denied")

    def put(self, *_: Any) -> Any:
        raise Unavailable("denied")

    def sign(self, event_hash: str) -> str:
        raise Unavailable("denied")

    def verify(self, event_hash: str, signature: str) -> bool:
        raise Unavailable("denied")


def _item_is_no_event(world: World) -> None:
    world.publishing.publish([{}])


def _nobody_answers(world: World) -> None:
    _ask(world)
    world.clock.advance(HOUR / 2)
    _measured(world).sweep()


def _time_is_up(world: World) -> None:
    _ask(world)
    world.clock.advance(2 * HOUR)
    _measured(world).sweep(timedelta(0))


def _measured(world: World) -> Any:
    return replace(world.sweeps, gauges=InMemoryGauges(world.store))


SCENARIOS: Mapping[str, Callable[[World], None]] = {
    Metrics.NOTIFICATION_FAILED: _topic_refuses,
    Metrics.DECIDED_NOT_RESUMED: _workflow_is_not_resumed,
    Metrics.PENDING_PAST_EXPIRY: _workflow_is_gone,
    Metrics.ALTERED_RECORD: _row_is_written_by_hand,
    Metrics.ALTERED_TRAIL: _event_is_removed,
    Metrics.PASSED_OVER: _item_is_no_event,
    Metrics.ARCHIVE_FAILED: _archive_refuses,
    Metrics.PENDING_AGE: _nobody_answers,
    Metrics.SWEEP_LAG: _time_is_up,
}
"""What has to happen for each of our metrics to be more than 0."""


def emitted(metric: str) -> list[Point]:
    """What a scenario writes to the log, as CloudWatch reads it."""
    world = in_memory()
    SCENARIOS[metric](world)
    lines = StringIO()
    written = EmbeddedMetrics(deployment="table")
    with redirect_stdout(lines):
        for name in world.meter.counted:
            written.count(name)
        for name, value, unit in world.meter.measured:
            written.measure(name, value, unit)
    return [point for line in lines.getvalue().splitlines() for point in points(json.loads(line))]


def points(line: Mapping[str, Any]) -> list[Point]:
    """The values in a log line, by CloudWatch's embedded metric format."""
    return [
        Point(directive["Namespace"], metric["Name"], frozenset(dimensions), line[metric["Name"]])
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
    ]


@dataclass(frozen=True)
class Watched:
    """One metric that an alarm watches."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    statistic: str


def watched_by(alarm: Mapping[str, Any]) -> list[Watched]:
    """The metrics that an alarm of a template watches, of a sum all of them."""
    if "MetricName" in alarm:
        names = frozenset(each["Name"] for each in alarm["Dimensions"])
        return [Watched(alarm["Namespace"], alarm["MetricName"], names, alarm["Statistic"])]
    found = []
    for query in alarm["Metrics"]:
        if "MetricStat" not in query:
            assert set(query["Expression"].split(" + ")) == {
                f"FILL({each['Id']}, 0)" for each in alarm["Metrics"] if "MetricStat" in each
            }
            continue
        metric = query["MetricStat"]["Metric"]
        names = frozenset(each["Name"] for each in metric["Dimensions"])
        stat = query["MetricStat"]["Stat"]
        found.append(Watched(metric["Namespace"], metric["MetricName"], names, stat))
    return found


_STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {"Sum": sum, "Maximum": max}
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
}


def goes_off(alarm: Mapping[str, Any], values: Sequence[float]) -> bool:
    """Whether an alarm is one after a period with these values of its metric."""
    if not values:
        return bool(alarm["TreatMissingData"] == "breaching")
    statistic = watched_by(alarm)[0].statistic
    compares = _COMPARISONS[alarm["ComparisonOperator"]]
    return compares(_STATISTICS[statistic](values), alarm["Threshold"])
