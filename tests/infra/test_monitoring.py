"""`Monitoring`: each field, as Python and as cdk.json have it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_sns as sns

from hitl_approval_cdk import HitlApproval, Monitoring, context, resolve
from tests.infra.synth import any_stack, of_type, template

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a topic's ARN": ({"alarm_topic": "arn"}, "monitoring.alarm_topic must be an object of CDK's"),
    "one address": ({"alarm_emails": "a@example.com"}, "monitoring.alarm_emails must be a list"),
    "no address": ({"alarm_emails": ["ops"]}, "monitoring.alarm_emails must be addresses"),
    "text for a switch": ({"dashboard": "false"}, "monitoring.dashboard must be bool"),
    "less than none": (
        {"dead_letters": -1},
        "monitoring.dead_letters must be a whole number of at least 0, got -1",
    ),
    "a part of one": ({"throttles": 0.5}, "monitoring.throttles must be a whole number"),
    "true for a number": ({"passed_over": True}, "monitoring.passed_over must be a whole number"),
    "no operations": ({"operations": 0}, "monitoring.operations must be 1 to 3000"),
    "more than there are": ({"operations": 3001}, "monitoring.operations must be 1 to 3000"),
    "seconds as a number": ({"sweep_lag": 600}, "monitoring.sweep_lag must be Duration"),
    "no lag": ({"stream_lag": None}, "monitoring.stream_lag must be Duration, got None"),
    "a moment": (
        {"pending_age": Duration.seconds(59)},
        "monitoring.pending_age must be at least 60 s, got 59 s",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_should_refuse_what_cannot_work_in_one_sentence(case: str) -> None:
    given, message = REFUSED[case]
    with pytest.raises(ValueError, match=f"^{message}") as refused:
        Monitoring(**given)
    assert "\n" not in str(refused.value)


JSON: dict[str, tuple[Any, str]] = {
    "a field that does not exist": (
        {"pending_age": 60},
        "monitoring has no field 'pending_age': did you mean pending_age_seconds?",
    ),
    "a topic": ({"alarm_topic": "arn"}, "monitoring has no field 'alarm_topic'"),
    "text for seconds": ({"sweep_lag_seconds": "60"}, "monitoring.sweep_lag_seconds must be a"),
    "another value": (7, "monitoring must be Monitoring, got 7: use Monitoring()"),
}


@pytest.mark.parametrize("case", list(JSON))
def test_should_refuse_what_cdk_json_cannot_say(case: str) -> None:
    given, message = JSON[case]
    with pytest.raises(ValueError, match=f"^{message}".replace("(", "[(]").replace(")", "[)]")):
        resolve({"monitoring": given})


def test_should_read_every_field_from_json() -> None:
    found = resolve(
        {
            "monitoring": {
                "alarm_emails": ["ops@example.com"],
                "dashboard": False,
                "dead_letters": 2,
                "pending_age_seconds": 3600,
            }
        }
    )["monitoring"]
    assert isinstance(found, Monitoring)
    assert (found.dashboard, found.dead_letters) == (False, 2)
    assert found.alarm_emails == ("ops@example.com",)
    assert found.pending_age is not None
    assert found.pending_age.to_seconds() == 3600


@pytest.mark.parametrize(
    ("given", "on"), [("true", True), (True, True), ("false", False), ("{}", True), ({}, True)]
)
def test_should_be_switched_by_a_context_key(given: Any, on: bool) -> None:
    found = resolve(context.options({"monitoring": given}))["monitoring"]
    assert isinstance(found, Monitoring) is on


@pytest.mark.parametrize("given", ["yes", "[]", 1, "{"])
def test_should_refuse_another_value_of_the_key(given: Any) -> None:
    with pytest.raises(context.ContextError, match=r"^context monitoring must be true, false or"):
        context.options({"monitoring": given})


def test_should_be_what_alarm_topic_is_short_for() -> None:
    stack = any_stack()
    topic = sns.Topic(stack, "Operators")
    found = resolve({"alarm_topic": topic})["monitoring"]
    assert isinstance(found, Monitoring)
    assert found == Monitoring(alarm_topic=topic, dashboard=False)


def test_should_take_one_topic_only() -> None:
    stack = any_stack()
    topic = sns.Topic(stack, "Operators")
    with pytest.raises(ValueError, match="alarm_topic has no effect beside monitoring"):
        resolve({"alarm_topic": topic, "monitoring": Monitoring()})


def _plain(_: Any) -> dict[str, Any]:
    return {}


def _on(_: Any) -> dict[str, Any]:
    return {"monitoring": Monitoring()}


@pytest.mark.parametrize(("options", "kinds"), [(_plain, 0), (_on, 1)])
def test_should_make_nothing_where_nothing_is_monitored(
    options: Callable[[Any], dict[str, Any]], kinds: int
) -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", **options(stack))
    found = template(stack)["Resources"]
    dashboards = of_type(found, "AWS::CloudWatch::Dashboard")
    assert len(dashboards) == kinds
    assert bool(of_type(found, "AWS::CloudWatch::Alarm")) == bool(kinds)
    assert ("DETAILED_METRICS" in str(found)) == bool(kinds)
