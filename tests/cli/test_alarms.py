"""What `hitl doctor` says of alarms that are on."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval_cli.alarms import ALARMS
from tests.infra.test_alarms import ALL

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .test_doctor import Fine, fine
from .test_parts import said

__all__ = ["fine"]  # a fixture


@pytest.fixture
def on(fine: Fine, cloud: FakeCloud) -> list[str]:
    """Names of alarms that are on, of some that there are."""
    found: list[str] = []
    for logical, physical in (
        ("PendingAgeAlarm0123ABCD", "stack-PendingAge-1"),
        ("SweepLagAlarm0123ABCD", "stack-SweepLag-1"),
        ("TheirsSweepLagAlarm0123ABCD", "stack-Theirs-1"),
        ("OfSomethingElseAlarm0123ABCD", "stack-Else-1"),
    ):
        cloud.template[logical] = {"Type": "AWS::CloudWatch::Alarm", "Properties": {}}
        cloud.physical[logical] = physical

    def describe_alarms(AlarmNames: list[str], StateValue: str) -> dict[str, Any]:  # noqa: N803
        assert StateValue == "ALARM"
        return {"MetricAlarms": [{"AlarmName": name} for name in AlarmNames if name in found]}

    fine.describe_alarms = describe_alarms  # type: ignore[attr-defined]
    return found


def test_should_know_every_alarm() -> None:
    assert {f"{name}Alarm" for name in ALARMS} == ALL


def test_should_say_that_nothing_is_monitored(hitl: Hitl, fine: Fine) -> None:
    assert said(hitl, "alarms") == ("ok", "none: the deployment is not monitored", "")


def test_should_name_what_is_on_by_its_section(hitl: Hitl, on: list[str]) -> None:
    assert said(hitl, "alarms") == ("ok", "none of 2 alarms is on", "")
    on += ["stack-PendingAge-1", "stack-Theirs-1", "stack-Else-1"]
    state, found, fix = said(hitl, "alarms")
    assert (state, found) == ("wrong", "on: PendingAgeAlarm")
    assert fix == "docs/runbook.md has a section for each"
