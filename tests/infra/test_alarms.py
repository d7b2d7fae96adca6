"""The alarms: who gets them, that each can go off, and that each is quiet when all is well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Duration, Token
from aws_cdk import aws_sns as sns

from hitl_approval.contract import Metrics
from hitl_approval_cdk import ApprovalPage, Archive, HitlApproval, Monitoring
from tests.infra.alarming import OF_AWS, SCENARIOS, emitted, goes_off, watched_by
from tests.infra.synth import any_stack, of_type, template, text

ALWAYS = {
    "NotificationFailedAlarm",
    "DecidedNotResumedAlarm",
    "PendingPastExpiryAlarm",
    "AlteredRecordAlarm",
    "AlteredTrailAlarm",
    "PassedOverAlarm",
    "SweepFailedAlarm",
    "SweepLagAlarm",
    "SweepAbsentAlarm",
    "DeadLetterAlarm",
    "EventsLateAlarm",
    "ThrottledFunctionsAlarm",
    "ThrottledTablesAlarm",
    "OperationsAlarm",
}
"""Of every deployment that is monitored."""
ALL = {*ALWAYS, "MessagesLateAlarm", "PendingAgeAlarm", "ArchiveFailedAlarm"}
THRESHOLDS: Mapping[str, tuple[str, Any, float]] = {
    "NotificationFailedAlarm": ("notifications_failed", 3, 3),
    "DecidedNotResumedAlarm": ("decided_not_resumed", 4, 4),
    "PendingPastExpiryAlarm": ("pending_past_expiry", 5, 5),
    "PassedOverAlarm": ("passed_over", 6, 6),
    "ArchiveFailedAlarm": ("archive_failed", 2, 2),
    "DeadLetterAlarm": ("dead_letters", 7, 7),
    "ThrottledFunctionsAlarm": ("throttles", 8, 8),
    "ThrottledTablesAlarm": ("throttles", 8, 8),
    "OperationsAlarm": ("operations", 999, 999),
    "SweepLagAlarm": ("sweep_lag", Duration.minutes(20), 1200),
    "EventsLateAlarm": ("stream_lag", Duration.minutes(1), 60_000),
    "MessagesLateAlarm": ("stream_lag", Duration.minutes(1), 60_000),
    "PendingAgeAlarm": ("pending_age", Duration.hours(1), 3600),
}
"""Alarm -> the field that moves it, a value, and the threshold that this makes."""
OF_NO_NUMBER = {"AlteredRecordAlarm", "AlteredTrailAlarm", "SweepFailedAlarm", "SweepAbsentAlarm"}
"""None of these is ever well."""


def named(found: Mapping[str, Any]) -> dict[str, Any]:
    """The alarms by the names of their constructs."""
    return {
        re.sub(r"^Approval|[0-9A-F]{8}$", "", name): alarm
        for name, alarm in of_type(found["Resources"], "AWS::CloudWatch::Alarm").items()
    }


def alarms(**monitoring: Any) -> dict[str, Any]:
    stack = any_stack()
    chosen = Monitoring(**monitoring)
    HitlApproval(stack, "Approval", page=ApprovalPage(), archive=Archive(), monitoring=chosen)
    return named(template(stack))


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Every alarm that there is."""
    return alarms(pending_age=Duration.minutes(10))


def test_should_have_every_alarm(made: dict[str, Any]) -> None:
    assert set(made) == ALL
    stack = any_stack()
    HitlApproval(stack, "Approval", monitoring=Monitoring())
    assert set(named(template(stack))) == ALWAYS


def test_should_send_alarms_and_their_ends_to_the_topic_that_it_is_given() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", alarm_topic=sns.Topic(stack, "Operators"))
    found = named(template(stack))
    assert set(found) == ALWAYS
    for alarm in found.values():
        for actions in ("AlarmActions", "OKActions"):
            assert [text(action) for action in alarm[actions]] == ["<Operators>"]


def test_should_watch_one_deployment_and_its_own_functions(made: dict[str, Any]) -> None:
    for name in ("SweepFailedAlarm", "SweepAbsentAlarm"):
        [dimension] = made[name]["Dimensions"]
        assert text(dimension["Value"]) == "<ApprovalSweepFunction>"
    [dimension] = made["OperationsAlarm"]["Dimensions"]
    assert text(dimension["Value"]) == "<ApprovalWorkflowFunction>"
    for alarm in made.values():
        if alarm.get("Namespace") == Metrics.NAMESPACE:
            [dimension] = alarm["Dimensions"]
            assert text(dimension["Value"]) == "<ApprovalTable>"


def test_should_watch_the_throttles_of_every_function_and_table(made: dict[str, Any]) -> None:
    def parts(name: str) -> set[str]:
        return {
            text(query["MetricStat"]["Metric"]["Dimensions"][0]["Value"])
            for query in made[name]["Metrics"]
            if "MetricStat" in query
        }

    functions = {"Workflow", "Request", "Approval", "Sweep", "Publisher", "Messenger", "Page"}
    assert parts("ThrottledFunctionsAlarm") == {f"<Approval{name}Function>" for name in functions}
    tables = {"Table", "AuditTable", "InboxTable", "MessagesTable"}
    assert parts("ThrottledTablesAlarm") == {f"<Approval{name}>" for name in tables}


@pytest.mark.parametrize("name", sorted(ALL))
def test_should_watch_what_is_emitted_by_our_code_or_by_aws(
    made: dict[str, Any], name: str
) -> None:
    """An alarm on a metric that nothing writes can never go off."""
    for metric in watched_by(made[name]):
        if metric.namespace != Metrics.NAMESPACE:
            assert metric.dimensions == {OF_AWS[metric.namespace, metric.name]}
            continue
        written = [point for point in emitted(metric.name) if point.name == metric.name]
        assert written
        for point in written:
            assert point.namespace == metric.namespace
            assert point.dimensions == metric.dimensions


@pytest.mark.parametrize("name", sorted(ALL))
def test_should_go_off_when_it_happens_and_be_quiet_when_all_is_well(
    made: dict[str, Any], name: str
) -> None:
    alarm = made[name]
    metric = watched_by(alarm)[0]
    if metric.namespace == Metrics.NAMESPACE:
        happened = [point.value for point in emitted(metric.name) if point.name == metric.name]
        assert goes_off(alarm, happened)
    elif name == "SweepAbsentAlarm":
        assert goes_off(alarm, [])
    else:
        assert goes_off(alarm, [alarm["Threshold"] + 1])
    well = 1 if name == "SweepAbsentAlarm" else 0
    assert not goes_off(alarm, [well])
    assert name == "SweepAbsentAlarm" or not goes_off(alarm, [])


def test_should_have_a_scenario_for_each_of_our_metrics_that_an_alarm_watches(
    made: dict[str, Any],
) -> None:
    ours = {
        metric.name
        for alarm in made.values()
        for metric in watched_by(alarm)
        if metric.namespace == Metrics.NAMESPACE
    }
    assert ours == set(SCENARIOS)


@pytest.mark.parametrize("name", sorted(THRESHOLDS))
def test_should_take_a_threshold(made: dict[str, Any], name: str) -> None:
    field, value, threshold = THRESHOLDS[name]
    moved = alarms(**{field: value})
    assert moved[name]["Threshold"] == threshold
    assert made[name]["Threshold"] != threshold
    others = {other for other, (its, *_) in THRESHOLDS.items() if its != field}
    for other in others & set(moved):
        assert moved[other]["Threshold"] == made[other]["Threshold"]


def test_should_have_a_threshold_for_all_but_what_is_never_well() -> None:
    assert {*THRESHOLDS, *OF_NO_NUMBER} == ALL


def test_should_go_by_what_a_sweep_measures_until_the_next_one() -> None:
    stack = any_stack()
    HitlApproval(
        stack, "Approval", sweep_interval=Duration.hours(1), monitoring=Monitoring(dashboard=False)
    )
    found = named(template(stack))
    assert found["SweepLagAlarm"]["Period"] == 3600
    assert found["SweepAbsentAlarm"]["Period"] == 3600
    assert found["PassedOverAlarm"]["Period"] == 300


def test_should_not_say_that_a_sweep_is_absent_whose_interval_nobody_knows() -> None:
    stack = any_stack()
    interval = Duration.minutes(Token.as_number({"Ref": "AWS::NoValue"}))
    HitlApproval(stack, "Approval", sweep_interval=interval, monitoring=Monitoring())
    assert set(named(template(stack))) == ALWAYS - {"SweepAbsentAlarm"}


def test_should_end_each_description_with_its_section_of_the_runbook(made: dict[str, Any]) -> None:
    for name, alarm in made.items():
        said, _, anchor = alarm["AlarmDescription"].partition(": docs/runbook.md#")
        assert anchor == name.lower()
        assert said[0].isupper()
