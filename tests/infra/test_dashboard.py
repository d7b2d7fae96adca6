"""The dashboard: plain titles, a unit at every axis, and no metric that nobody writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from hitl_approval.contract import METRICS, Metrics
from hitl_approval_cdk import ApprovalPage, HitlApproval, Monitoring
from tests.infra.alarming import OF_AWS
from tests.infra.synth import any_stack, of_type, template

UNITS = {
    "Pending requests": "requests",
    "Age of pending requests": "hours",
    "Time to decision": "minutes",
    "Requests made": "requests",
    "Outcomes": "requests",
    "Reminders sent": "messages",
    "Failed tries to send, by channel": "tries",
    "People not notified": "people and topics",
    "Events and messages behind": "seconds",
    "What the sweep found amiss": "records",
    "Sweep lag": "minutes",
    "Dead-letter queue": "messages",
    "Errors of functions": "invocations",
    "Throttles": "calls",
    "Operations of the longest execution": "operations",
}
DIVISORS = {"hours": 3600, "minutes": 60, "seconds": 1000}
"""Of a metric in seconds, or of `IteratorAge`, which is in milliseconds."""


def body(**monitoring: Any) -> dict[str, Any]:
    stack = any_stack()
    approval = HitlApproval(
        stack, "Approval", page=ApprovalPage(), monitoring=Monitoring(**monitoring)
    )
    assert isinstance(approval.dashboard, cloudwatch.Dashboard)
    [made] = of_type(template(stack)["Resources"], "AWS::CloudWatch::Dashboard").values()
    parts = made["DashboardBody"]["Fn::Join"][1]
    found: dict[str, Any] = json.loads("".join(p if isinstance(p, str) else "x" for p in parts))
    return found


@pytest.fixture(scope="module")
def widgets() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body()["widgets"]
    return found


def graphs(widgets: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {w["properties"]["title"]: w["properties"] for w in widgets if w["type"] == "metric"}


def test_should_have_a_plain_title_and_a_unit_for_each_graph(widgets: list[dict[str, Any]]) -> None:
    found = graphs(widgets)
    assert {title: each["yAxis"]["left"]["label"] for title, each in found.items()} == UNITS
    for each in found.values():
        assert each["yAxis"]["left"]["min"] == 0
        assert each["yAxis"]["left"]["showUnits"] is False


def test_should_divide_by_what_the_unit_says(widgets: list[dict[str, Any]]) -> None:
    for title, each in graphs(widgets).items():
        for metric in each["metrics"]:
            expression = metric[-1].get("expression", "")
            if " / " in expression:
                assert expression.endswith(f" / {DIVISORS[UNITS[title]]}")


def test_should_label_every_line_that_is_shown(widgets: list[dict[str, Any]]) -> None:
    for title, each in graphs(widgets).items():
        shown = [metric[-1] for metric in each["metrics"] if metric[-1].get("visible", True)]
        labels = [options["label"] for options in shown]
        assert labels, title
        assert len(set(labels)) == len(labels), title


def test_should_show_nothing_that_is_not_written(widgets: list[dict[str, Any]]) -> None:
    for title, each in graphs(widgets).items():
        for metric in each["metrics"]:
            if len(metric) == 1:
                continue
            namespace, name, *dimensions, _ = metric
            kinds = set(dimensions[::2])
            if namespace == Metrics.NAMESPACE:
                assert name in METRICS, title
                by_channel = {Metrics.CHANNEL} if name == Metrics.SEND_FAILED else set()
                assert kinds == {Metrics.DEPLOYMENT, *by_channel}
            else:
                assert kinds == {OF_AWS[namespace, name]}


def test_should_show_every_alarm_at_the_top(widgets: list[dict[str, Any]]) -> None:
    assert [widget["type"] for widget in widgets[:2]] == ["text", "alarm"]
    assert "Embedding/Approval" in widgets[0]["properties"]["markdown"]
    assert len(widgets[1]["properties"]["alarms"]) == 15


def test_should_fill_its_rows_and_overlap_nowhere(widgets: list[dict[str, Any]]) -> None:
    taken = [
        (x, y)
        for widget in widgets
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(taken) == len(set(taken))
    assert len(taken) == 24 * (1 + max(y for _, y in taken))


def test_should_draw_the_thresholds_of_operations() -> None:
    each = graphs(body(operations=1000)["widgets"])["Operations of the longest execution"]
    assert [line["value"] for line in each["annotations"]["horizontal"]] == [1000, 3000]


def test_should_be_left_out_on_request() -> None:
    stack = any_stack()
    approval = HitlApproval(stack, "Approval", monitoring=Monitoring(dashboard=False))
    assert approval.dashboard is None
    assert of_type(template(stack)["Resources"], "AWS::CloudWatch::Dashboard") == {}
