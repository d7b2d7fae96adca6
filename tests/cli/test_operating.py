"""Operators: what is wrong and what to do, ringing again, counting, completion, the calls made."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from rich.console import Console

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.testing import FixedClock, World
from hitl_approval_cli import clock, main, output
from hitl_approval_cli.deployment import Deployment
from tests.anything import NOW, any_opening, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud


def decided(world: World, decision: str = "approved", minutes: int = 5, **fields: Any) -> str:
    opening = any_opening(now=world.clock.now(), **fields)
    approval_id = world.store.create(opening).approval_id
    world.clock.advance(timedelta(minutes=minutes))
    world.decisions.decide(approval_id, declared("bob"), decision)  # type: ignore[arg-type]
    return approval_id


# resume


def test_should_ring_again_and_write_nothing(hitl: Hitl, world: World) -> None:
    approval_id = decided(world)
    before = repr((world.store.approvals, world.store.audit))
    result = hitl("resume", approval_id, "--json")
    assert result.json == {"approval_id": approval_id, "status": "approved", "workflow": "resumed"}
    assert world.callbacks.completed == ["callback-1", "callback-1"]
    assert repr((world.store.approvals, world.store.audit)) == before
    assert "approved by bob (workflow: resumed)" in hitl("resume", approval_id).out


def test_should_not_ring_for_what_is_pending(hitl: Hitl, world: World) -> None:
    approval_id = world.store.create(any_opening(now=world.clock.now())).approval_id
    result = hitl("resume", approval_id)
    assert result.status == 1
    assert "is still pending: there is nothing to resume for" in result.err
    assert world.callbacks.completed == []


# stats


def test_should_count_and_time_the_decisions(hitl: Hitl, world: World) -> None:
    for minutes in range(1, 21):
        decided(world, "approved" if minutes % 2 else "rejected", minutes)
    world.store.create(any_opening(now=world.clock.now()))
    answer = hitl("stats", "--since", "2026-01-01", "--json").json
    assert answer["by_status"] == {
        "pending": 1, "approved": 10, "rejected": 10, "timeout": 0, "cancelled": 0,
    }  # fmt: skip
    assert answer["decision_seconds"] == {"p50": 600.0, "p95": 1140.0}
    out = hitl("stats", "--since", "2026-01-01").out
    assert "half within 10.0 min (p50), nearly all within 19.0 min (p95)" in out


def test_should_say_that_nothing_was_decided(hitl: Hitl, world: World) -> None:
    answer = hitl("stats", "--json").json
    assert answer["decision_seconds"] == {"p50": None, "p95": None}
    assert "Nothing was decided by people." in hitl("stats").out


def test_should_count_under_a_bar_in_a_terminal(
    hitl: Hitl,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    decided(world)
    piped = hitl("stats")
    assert piped.err == ""
    terminal = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(output, "err", terminal)
    assert main.run(["stats"]) == 0
    assert capsys.readouterr().out == piped.out
    assert "Counting" in terminal.file.getvalue()  # type: ignore[attr-defined]


# doctor


class Fine:
    """STS, SNS and CloudWatch of a healthy account."""

    def __init__(self) -> None:
        self.confirmed, self.pending = 1, 0
        self.counted: dict[str, float] = {}
        self.error: Exception | None = None

    def get_caller_identity(self) -> dict[str, str]:
        if self.error:
            raise self.error
        return {"Arn": "arn:aws:iam::123456789012:user/ann"}

    def get_topic_attributes(self, TopicArn: str) -> dict[str, Any]:  # noqa: N803
        assert TopicArn == "arn:topic"
        return {
            "Attributes": {
                "SubscriptionsConfirmed": str(self.confirmed),
                "SubscriptionsPending": str(self.pending),
            }
        }

    def get_metric_statistics(self, **asked: Any) -> dict[str, Any]:
        assert asked["Dimensions"] == [{"Name": "Deployment", "Value": "approvals"}]
        count = self.counted.get(asked["MetricName"])
        return {"Datapoints": [{"Sum": count}] if count else []}


@pytest.fixture
def fine(cloud: FakeCloud, tables: DynamoDbStore, monkeypatch: pytest.MonkeyPatch) -> Fine:
    fine = Fine()
    cloud.clients |= {"sts": fine, "sns": fine, "cloudwatch": fine}
    cloud.outputs |= {
        "WorkflowVersion": "7", "SnsTopicArn": "arn:topic", "SweepFunctionName": "sweep",
    }  # fmt: skip
    monkeypatch.setattr(Deployment, "region_name", "us-east-1")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return fine


def states(hitl: Hitl) -> dict[str, str]:
    return {check["name"]: check["state"] for check in hitl("doctor", "--json").json["checks"]}


def test_should_find_nothing_wrong(hitl: Hitl, fine: Fine) -> None:
    result = hitl("doctor", "--json")
    assert result.status == 0
    assert result.json["healthy"] is True
    assert {check["state"] for check in result.json["checks"]} == {"ok"}
    assert [check["name"] for check in result.json["checks"]] == [
        "version", "credentials", "stack", "deployed version", "approval function", "tables",
        "topic", "overdue", "not resumed", "notifications", "records",
    ]  # fmt: skip
    out = hitl("doctor").out
    assert "ok       credentials: arn:aws:iam::123456789012:user/ann in us-east-1" in out
    assert "ok       stack: hitl-approval, workflow version 7" in out


@pytest.mark.parametrize(("deployed", "said"), [("0.0.9", "0.0.9, hitl is"), (None, "not said")])
def test_should_say_that_another_version_is_deployed(
    hitl: Hitl, fine: Fine, cloud: FakeCloud, deployed: str | None, said: str
) -> None:
    del cloud.outputs["HitlApprovalVersion"]
    if deployed:
        cloud.outputs["HitlApprovalVersion"] = deployed
    result = hitl("doctor")
    assert result.status == 0
    assert f"unknown  deployed version: {said}" in result.out
    assert f"deploy with hitl-approval {LIBRARY_VERSION}" in result.out


def test_should_say_what_is_stuck_and_what_to_do(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    long_ago = NOW - timedelta(days=1)
    tables.create(any_opening(now=long_ago, timeout=timedelta(hours=1)))
    other = tables.create(any_opening(now=long_ago, timeout=timedelta(days=3)))
    then = replace(cloud.decisions, clock=FixedClock(long_ago))
    then.decide(other.approval_id, declared("bob"), "approved")
    cloud.executions.append(other.execution_arn)
    result = hitl("doctor")
    assert result.status == 1
    assert "wrong    overdue: 1 pending past their expiry" in result.out
    assert "look into the log of sweep" in result.out
    assert "wrong    not resumed: 1 decided, and their workflow has not heard" in result.out
    assert f"hitl resume {other.approval_id}\n" in result.out


@pytest.mark.parametrize("status", ["PAUSING", "PAUSED"])
def test_should_name_a_workflow_that_is_paused(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud, status: str
) -> None:
    long_ago = NOW - timedelta(days=1)
    held = tables.create(any_opening(now=long_ago, timeout=timedelta(days=3)))
    then = replace(cloud.decisions, clock=FixedClock(long_ago))
    then.decide(held.approval_id, declared("bob"), "approved")
    cloud.executions.append(held.execution_arn)
    cloud.execution = {"Status": status}
    result = hitl("doctor")
    assert result.status == 1
    assert f"paused in Lambda: {held.approval_id}" in result.out
    assert "resume the paused executions in Lambda" in result.out
    assert "hitl resume" not in result.out


def test_should_say_that_a_table_is_going(
    hitl: Hitl, fine: Fine, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"Table": {"TableStatus": "DELETING"}}
    monkeypatch.setattr(cloud.clients["dynamodb"], "describe_table", lambda **_: answer)
    assert "wrong    tables: approvals is DELETING" in hitl("doctor").out


@pytest.mark.parametrize(
    ("confirmed", "pending", "said"),
    [(0, 0, "deploy with notify_emails"), (0, 2, "confirm the subscription")],
)
def test_should_say_that_nobody_hears(
    hitl: Hitl, fine: Fine, confirmed: int, pending: int, said: str
) -> None:
    fine.confirmed, fine.pending = confirmed, pending
    result = hitl("doctor")
    assert result.status == 1
    assert said in result.out


def test_should_not_call_wrong_that_links_may_be_sent_instead(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    fine.confirmed = 0
    cloud.outputs["PageUrl"] = "https://page.example"
    assert states(hitl)["topic"] == "unknown"
    assert "deliver_to tells named approvers" in hitl("doctor").out


def test_should_say_that_approvers_could_not_be_told(hitl: Hitl, fine: Fine) -> None:
    fine.counted["NotificationFailed"] = 3.0
    assert states(hitl)["notifications"] == "wrong"
    assert "3 requests were not told" in hitl("doctor").out


@pytest.mark.parametrize("metric", ["AlteredRecord", "PassedOver"])
def test_should_say_that_a_record_is_not_what_it_was(hitl: Hitl, fine: Fine, metric: str) -> None:
    fine.counted[metric] = 2.0
    assert states(hitl)["records"] == "wrong"
    assert "hitl audit verify --all" in hitl("doctor").out


def test_should_not_call_wrong_what_it_may_not_look_at(
    hitl: Hitl, fine: Fine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> None:
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise ClientError(error, "GetMetricStatistics")  # type: ignore[arg-type]

    monkeypatch.setattr(fine, "get_metric_statistics", refused)
    result = hitl("doctor", "--json")
    assert result.status == 0
    assert states(hitl)["notifications"] == "unknown"
    assert "GetMetricStatistics" in hitl("doctor").out


def test_should_stop_where_nothing_more_can_be_seen(
    hitl: Hitl, fine: Fine, cloud: FakeCloud
) -> None:
    fine.error = NoCredentialsError()
    assert states(hitl) == {"version": "ok", "credentials": "wrong"}
    assert "no AWS credentials: run `aws configure`" in hitl("doctor").out
    fine.error = None
    cloud.outputs.clear()
    assert states(hitl) == {"version": "ok", "credentials": "ok", "stack": "wrong"}


# completion and -v


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_should_print_a_script_that_completes(hitl: Hitl, shell: str) -> None:
    out = hitl("completion", shell).out
    assert "_HITL_COMPLETE" in out
    assert "hitl" in out


def test_should_know_no_other_shell(hitl: Hitl) -> None:
    result = hitl("completion", "sh")
    assert (result.status, result.err) == (
        2,
        "hitl: SHELL: must be one of bash, zsh, fish, got 'sh'\n",
    )


def test_should_tell_each_call_and_nothing_of_what_was_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from moto import mock_aws

    with mock_aws():
        deployment = Deployment("hitl-approval", "us-east-1", verbose=True)
        deployment.client("sts").get_caller_identity()
    told = capsys.readouterr()
    assert told.err == "sts GetCallerIdentity: 200\n"
    assert told.out == ""


def test_should_tell_time_in_utc_under_json(hitl: Hitl, world: World) -> None:
    answer = json.loads(hitl("stats", "--since", "2026-01-01", "--json").out)
    assert datetime.fromisoformat(answer["since"]).astimezone(UTC).year in {2025, 2026}
