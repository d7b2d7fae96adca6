"""`Monitoring`: what a deployment's dashboard and alarms are like, with the rule of each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import aws_sns as sns

from hitl_approval.contract import MAX_OPERATIONS
from hitl_approval_cdk import rules
from hitl_approval_cdk.tokens import is_token, shown

_LAG: Final = Duration.minutes(15)
"""Three sweeps of the default interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """A dashboard and alarms: who gets them, and from which values on there is an alarm.

    Raises:
        ValueError: a value that cannot work.

    Attributes:
        alarm_topic: a topic of this region that gets each alarm, and its end. Default: none;
            alarms are seen in CloudWatch.
        alarm_emails: addresses that are subscribed to `alarm_topic`, or to a topic that is made
            for them. Default: none.
        dashboard: whether there is a CloudWatch dashboard. Default: True.
        notifications_failed: people and topics that could not be sent a message, in 5 minutes:
            more are an alarm. Default: 0.
        decided_not_resumed: decisions that a sweep found unread by their workflow: more are an
            alarm. Default: 0.
        pending_past_expiry: requests that a sweep had to close: more are an alarm. Default: 0.
        passed_over: records and events that could not be taken, in 5 minutes: more are an alarm.
            Default: 0.
        archive_failed: tries in 30 minutes that did not archive an audit event: more are an alarm,
            where there is an `archive`. Default: 0.
        dead_letters: messages in the dead-letter queue: more are an alarm. Default: 0.
        throttles: invocations that Lambda, and calls that DynamoDB throttled, in 5 minutes: more
            are an alarm. Default: 10; each is tried again.
        operations: durable operations that one execution has taken, of 3,000: so many are an alarm.
            Default: 2,400.
        sweep_lag: how long the oldest record waits that a sweep has not come to: longer is an
            alarm. Default: 15 minutes.
        stream_lag: how far events or messages are behind what was committed: longer is an alarm.
            Default: 15 minutes.
        pending_age: the age that one in twenty pending requests exceeds: longer is an alarm.
            Default: no such alarm.
    """

    alarm_topic: sns.ITopic | None = None
    alarm_emails: Sequence[str] = ()
    dashboard: bool = True
    notifications_failed: int = 0
    decided_not_resumed: int = 0
    pending_past_expiry: int = 0
    passed_over: int = 0
    archive_failed: int = 0
    dead_letters: int = 0
    throttles: int = 10
    operations: int = 2_400
    sweep_lag: Duration = _LAG
    stream_lag: Duration = _LAG
    pending_age: Duration | None = None

    def __post_init__(self) -> None:
        if self.alarm_topic is not None:
            rules.resource("topic_arn", "sns.Topic.from_topic_arn()")(
                "monitoring.alarm_topic", self.alarm_topic
            )
        emails = rules.emails("monitoring.alarm_emails", self.alarm_emails)
        object.__setattr__(self, "alarm_emails", emails)
        rules.switch("monitoring.dashboard", self.dashboard)
        for name in _COUNTS:
            _check_count(f"monitoring.{name}", getattr(self, name))
        if not is_token(self.operations) and not 1 <= self.operations <= MAX_OPERATIONS:
            msg = (
                f"monitoring.operations must be 1 to {MAX_OPERATIONS}, which an execution may "
                f"take, got {self.operations}: 2,400 is the default"
            )
            raise ValueError(msg)
        for name in _TIMES:
            value = getattr(self, name)
            if name != "pending_age" or value is not None:
                _check_time(f"monitoring.{name}", value)

    @classmethod
    def from_json(cls, given: Mapping[str, Any], name: str) -> Monitoring:
        """As cdk.json has it: an object of fields, each duration in seconds.

        Args:
            given: `{"pending_age_seconds": 86400}`, say.
            name: of the option, for refusals.

        Raises:
            ValueError: a field that does not exist or does not fit.
        """
        values: dict[str, Any] = {}
        # No topic: it has no JSON.
        known = {_key(one.name): one.name for one in fields(cls) if one.name != "alarm_topic"}
        for key, value in given.items():
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                msg = f"{name} has no field {shown(key)}: {fix}"
                raise ValueError(msg)
            if known[key] in _TIMES:
                _check_count(f"{name}.{key}", value)
            values[known[key]] = Duration.seconds(value) if known[key] in _TIMES else value
        return cls(**values)


def _key(field: str) -> str:
    return f"{field}_seconds" if field in _TIMES else field


_TIMES: Final = ("sweep_lag", "stream_lag", "pending_age")
"""Fields that are durations."""
_COUNTS: Final = (
    "notifications_failed",
    "decided_not_resumed",
    "pending_past_expiry",
    "passed_over",
    "archive_failed",
    "dead_letters",
    "throttles",
    "operations",
)
"""Fields that are numbers."""


def _check_count(name: str, value: Any) -> None:
    if is_token(value):
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        msg = f"{name} must be a whole number of at least 0, got {shown(value)}: 0 is the strictest"
        raise ValueError(msg)


def _check_time(name: str, value: Any) -> None:
    seconds = rules.seconds(name, value)
    if seconds is not None and seconds < rules.MINUTE:
        msg = f"{name} must be at least {rules.MINUTE} s, got {seconds} s: metrics go by minutes"
        raise ValueError(msg)


def monitoring(name: str, value: Any) -> Monitoring:
    """What is monitored: as `Monitoring`, or as cdk.json has it.

    Raises:
        ValueError: something else.
    """
    if isinstance(value, Mapping):
        return Monitoring.from_json(value, name)
    rules.is_a(name, value, Monitoring, "use Monitoring()")
    found: Monitoring = value
    return found
