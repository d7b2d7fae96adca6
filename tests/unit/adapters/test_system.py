"""The machine's own clock, its randomness, and metrics through its log."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from hitl_approval.adapters.system import EmbeddedMetrics, SystemClock, SystemSecrets
from hitl_approval.domain.link import SECRET_BYTES


def test_should_tell_the_time_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
    assert isinstance(SystemClock().now(), datetime)


def test_should_pause_at_most_a_second_however_often(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    monkeypatch.setattr("random.uniform", lambda _, longest: longest)
    for attempt in (0, 1, 2, 30):
        SystemClock().pause(attempt)
    assert slept == [0.02, 0.04, 0.08, 1.0]


def test_should_draw_another_secret_each_time() -> None:
    drawn = {SystemSecrets().draw() for _ in range(100)}
    assert {len(secret) for secret in drawn} == {SECRET_BYTES}
    assert len(drawn) == 100


def test_should_count_in_one_line_that_cloudwatch_reads(
    capsys: pytest.CaptureFixture[str],
) -> None:
    EmbeddedMetrics(deployment="app-ApprovalRequests").count("PassedOver", 3)
    (line,) = capsys.readouterr().out.splitlines()
    values = json.loads(line)
    (directive,) = values["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "PassedOver", "Unit": "Count"}]
    (names,) = directive["Dimensions"]
    assert [values[name] for name in names] == ["app-ApprovalRequests"]
    assert values["PassedOver"] == 3


def test_should_count_by_channel_where_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    EmbeddedMetrics(deployment="app-ApprovalRequests").count("SendFailed", channel="ses")
    values = json.loads(capsys.readouterr().out)
    (directive,) = values["_aws"]["CloudWatchMetrics"]
    (names,) = directive["Dimensions"]
    assert {name: values[name] for name in names} == {
        "Deployment": "app-ApprovalRequests",
        "Channel": "ses",
    }
