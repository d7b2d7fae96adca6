"""`hitl doctor --fix`: what is fixed, what is left alone, and what is said of both."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.testing import FixedClock
from hitl_approval_cli import fixes
from hitl_approval_cli.deployment import Deployment
from tests.anything import NOW, any_opening, declared

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .test_doctor import Fine, fine

__all__ = ["fine"]  # a fixture


def parked(tables: DynamoDbStore) -> str:
    approval_id = tables.create(any_opening(now=NOW)).approval_id
    tables.postpone(approval_id, found_on="pending", tries=9, until=None, reason="unreadable")
    return approval_id


def unread(tables: DynamoDbStore, cloud: FakeCloud) -> str:
    """A decision of yesterday whose workflow has not read it."""
    long_ago = NOW - timedelta(days=1)
    asked = tables.create(any_opening(now=long_ago, timeout=timedelta(days=3)))
    then = replace(cloud.decisions, clock=FixedClock(long_ago))
    then.decide(asked.approval_id, declared("bob"), "approved")
    cloud.executions.append(asked.execution_arn)
    return asked.approval_id


def test_should_change_nothing_where_nothing_is_wrong(hitl: Hitl, fine: Fine) -> None:
    result = hitl("doctor", "--fix", "--yes", "--json")
    assert (result.status, result.json["fixed"]) == (0, [])
    assert hitl("doctor", "--fix", "--yes").out.endswith("nothing was fixed\n")


def test_should_take_up_parked_records(hitl: Hitl, fine: Fine, tables: DynamoDbStore) -> None:
    approval_id = parked(tables)
    result = hitl("doctor", "--fix", "--yes", "--json")
    assert result.status == 1  # of the state before
    assert result.json["fixed"] == [
        {"check": "parked", "what": f"took up {approval_id}", "done": True, "why": ""}
    ]
    assert [one.until is None for one in tables.postponed()] == [False]


def test_should_resume_who_has_not_read_a_decision_unless_it_is_paused(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    approval_id = unread(tables, cloud)
    cloud.execution = {"Status": "PAUSED"}
    assert hitl("doctor", "--fix", "--yes", "--json").json["fixed"] == []
    cloud.execution = {"Status": "RUNNING"}
    out = hitl("doctor", "--fix", "--yes").out
    assert f"fixed     resumed {approval_id}\n" in out


def test_should_let_the_sweep_run(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.create(any_opening(now=NOW - timedelta(days=1), timeout=timedelta(hours=1)))
    invoke, ran = cloud.invoke, []

    def invoked(**asked: Any) -> dict[str, Any]:
        if asked["FunctionName"] != "sweep":
            return invoke(**asked)
        ran.append(asked)
        return {}

    monkeypatch.setattr(cloud, "invoke", invoked)
    [fixed] = hitl("doctor", "--fix", "--yes", "--json").json["fixed"]
    assert (fixed["check"], fixed["what"]) == ("overdue", "started sweep")
    assert ran == [{"FunctionName": "sweep", "InvocationType": "Event"}]


def test_should_send_again_the_messages_that_were_given_up(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine.counted["NotificationFailed"] = 1.0
    waits, given_up = (tables.create(any_opening(now=NOW)).approval_id for _ in range(2))
    asked = []

    def call(self: Any, payload: dict[str, Any]) -> dict[str, Any]:
        if payload["action"] == "get":
            state = "failed" if payload["approval_id"] == given_up else "open"
            return {"messages": [{"state": "sent"}, {"state": state}]}
        if payload["action"] == "repair":
            asked.append(payload["approval_id"])
            return {}
        return original(self, payload)

    original = Deployment.call
    monkeypatch.setattr(Deployment, "call", call)
    [fixed] = hitl("doctor", "--fix", "--yes", "--json").json["fixed"]
    assert fixed["what"] == f"took up the messages of {given_up}"
    assert asked == [given_up]
    assert waits not in asked


@pytest.fixture
def waiting(cloud: FakeCloud, fine: Fine) -> list[dict[str, Any]]:
    """Two addresses of the topic of personal links that are not confirmed; of one nobody knows
    whose it is."""
    cloud.outputs["PersonalTopicArn"] = "arn:personal"
    cloud.template["Ann"] = {
        "Type": "AWS::SNS::Subscription",
        "Properties": {
            "TopicArn": "arn:personal",
            "Endpoint": "ann@example.com",
            "FilterPolicy": {"approver": ["ann", "Ann@Example.com"]},
        },
    }
    fine.subscribed += [
        ("PendingConfirmation", "ann@example.com"),
        ("PendingConfirmation", "stranger@example.com"),
    ]
    subscribed: list[dict[str, Any]] = []
    fine.subscribe = lambda **asked: subscribed.append(asked)  # type: ignore[attr-defined]
    return subscribed


def test_should_have_aws_mail_who_has_not_confirmed_and_keep_the_filter(
    hitl: Hitl, waiting: list[dict[str, Any]]
) -> None:
    [fixed] = hitl("doctor", "--fix", "--yes", "--json").json["fixed"]
    assert fixed["check"] == "personal addresses"
    [asked] = waiting
    assert (asked["TopicArn"], asked["Endpoint"]) == ("arn:personal", "ann@example.com")
    assert json.loads(asked["Attributes"]["FilterPolicy"]) == {
        "approver": ["ann", "Ann@Example.com"]
    }


def test_should_ask_before_each_fix(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud
) -> None:
    unread(tables, cloud)
    parked(tables)
    result = hitl("doctor", "--fix", stdin="n\ny\n", terminal=True)
    assert "Resume the workflow of 1 decision again?" in result.out
    assert "Take up 1 parked record again?" in result.out
    assert "resumed" not in result.out.partition("again?")[2]
    assert "took up " in result.out


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_should_ask_nobody_who_cannot_answer(hitl: Hitl, fine: Fine, words: list[str]) -> None:
    result = hitl("doctor", "--fix", *words)
    assert result.status == 2
    assert "pass --yes" in result.err


def test_should_say_what_could_not_be_fixed_and_go_on(
    hitl: Hitl, fine: Fine, tables: DynamoDbStore, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [parked(tables), parked(tables)]
    denied = {"Error": {"Code": "ThrottlingException", "Message": "slow down"}}
    original = Deployment.call
    failed: list[str] = []

    def call(self: Any, payload: dict[str, Any]) -> dict[str, Any]:
        if payload["action"] == "repair" and not failed:
            failed.append(payload["approval_id"])
            with self.errors():
                raise ClientError(denied, "Invoke")  # type: ignore[arg-type]
        return original(self, payload)

    monkeypatch.setattr(Deployment, "call", call)
    found = hitl("doctor", "--fix", "--yes", "--json").json["fixed"]
    assert sorted(each["done"] for each in found) == [False, True]
    assert {each["what"].removeprefix("took up ") for each in found} == set(ids)
    assert [bool(each["why"]) for each in found if not each["done"]] == [True]


def test_should_fix_only_checks_that_there_are(hitl: Hitl, fine: Fine) -> None:
    names = {check["name"] for check in hitl("doctor", "--json").json["checks"]}
    assert set(fixes._FIXES) <= names
