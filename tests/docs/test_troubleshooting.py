"""`docs/troubleshooting.md` names alarms, metrics, checks, codes and messages that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_sns as sns

from hitl_approval.contract import Metrics
from hitl_approval_cdk import HitlApproval
from hitl_approval_cli.commands import doctor
from tests.docs.test_glossary import code
from tests.infra.synth import any_stack, of_type, template

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
NAMES = set(re.findall(r"`([A-Z]\w+)`", PAGE))
OF_AWS = {"NonDeterministicExecutionError", "NAME", "UV_DEFAULT_INDEX"}


@pytest.fixture(scope="module")
def alarmed() -> dict[str, Any]:
    """A deployment that has alarms."""
    stack = any_stack()
    HitlApproval(stack, "Approval", alarm_topic=sns.Topic(stack, "Operators"))
    return template(stack)


def test_should_name_what_exists() -> None:
    unknown = NAMES - code()
    assert unknown <= OF_AWS


def test_should_name_alarms_that_exist_and_the_metrics_of_ours(alarmed: dict[str, Any]) -> None:
    """`docs/runbook.md` has a section for each alarm, whatever it watches."""
    alarms = of_type(alarmed["Resources"], "AWS::CloudWatch::Alarm")
    names = {re.sub(r"^Approval|[0-9A-F]{8}$", "", name) for name in alarms}
    assert {name for name in NAMES if name.endswith("Alarm")} <= names
    zero = {Metrics.SWEEP_LAG}  # a gauge, whose alarm only the runbook has
    ours = {a["MetricName"] for a in alarms.values() if a.get("Namespace") == Metrics.NAMESPACE}
    assert ours - zero <= NAMES


def test_should_name_every_check_of_doctor() -> None:
    checks = set(doctor.CHECKS)
    assert {"topic", "overdue", "not resumed", "notifications"} <= checks
    named = set(re.findall(r"check `([a-z ]+)`", PAGE))
    assert {"topic", "overdue", "not resumed", "notifications"} <= named <= checks


@pytest.mark.parametrize(
    "message",
    sorted({words for words in re.findall(r"^### .*", PAGE, re.MULTILINE) if "..." in words}),
)
def test_should_quote_messages_as_they_are(message: str) -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("stacks/*/*.py"))
    for quoted in re.findall(r"`([^`]+)`", message):
        for part in quoted.split("..."):
            assert part.strip() in said, quoted
