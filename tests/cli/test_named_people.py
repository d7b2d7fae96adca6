"""Whom a deployment names: nobody else is asked by a start that the workflow would refuse."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.contract import DEFAULT_STACK_NAME
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.mcp_caller import DesktopCaller

from .conftest import Hitl
from .fake_cloud import FakeCloud


@pytest.fixture(autouse=True)
def _deployed(cloud: FakeCloud) -> None:
    cloud.decisions = replace(cloud.decisions, people=("ann", "bob"), groups=("leads",))


def submitted(hitl: Hitl, *words: str) -> Any:
    return hitl("submit", "--subject", "Refund", "--requester", "rita", *words)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--approver", "ann", "--approver", "zoe"], "--approver"),
        (["--stage", "zoe"], "--stage"),
        (["--stage", "ann", "--stage", "leads:1,zoe:1"], "--stage"),
        (["--approver", "ann", "--escalate", "1h:zoe"], "--escalate"),
    ],
)
def test_should_start_nothing_that_asks_somebody_unknown(
    hitl: Hitl, cloud: FakeCloud, words: list[str], option: str
) -> None:
    """A start that the workflow refuses is a dead letter, which raises an alarm."""
    result = submitted(hitl, *words)
    assert result.status == 2
    said = f"hitl: {option}: names 'zoe', whom the deployment does not: name of leads, ann, bob"
    assert result.err.strip() == said
    assert cloud.started == []


@pytest.mark.parametrize("name", ["ANN", "leads"])
def test_should_ask_people_and_groups_that_are_named(
    hitl: Hitl, cloud: FakeCloud, name: str
) -> None:
    assert submitted(hitl, "--approver", name).status == 0
    assert len(cloud.started) == 1


def test_should_ask_anybody_where_requests_may(hitl: Hitl, cloud: FakeCloud) -> None:
    cloud.decisions = replace(cloud.decisions, requests_name_approvers=True)
    assert submitted(hitl, "--approver", "zoe").status == 0


def test_should_leave_it_to_the_workflow_where_an_older_version_is_deployed(
    hitl: Hitl, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not say which groups it has."""
    invoke = cloud.invoke

    def older(FunctionName: str, Payload: bytes, **more: Any) -> dict[str, Any]:  # noqa: N803
        if json.loads(Payload).get("action") != "people":
            return invoke(FunctionName, Payload, **more)
        body = json.dumps({"people": ["ann"], "others": False})
        answer = json.dumps({"statusCode": 200, "body": body})
        return {"Payload": io.BytesIO(answer.encode())}

    monkeypatch.setattr(cloud, "invoke", older)
    assert submitted(hitl, "--approver", "leads").status == 0


def test_should_leave_it_to_the_workflow_where_only_that_may_be_started(
    hitl: Hitl, cloud: FakeCloud
) -> None:
    cloud.failures.append(ClientError({"Error": {"Code": "AccessDeniedException"}}, "Invoke"))
    assert submitted(hitl, "--approver", "zoe").status == 0
    assert len(cloud.started) == 1


def test_should_answer_an_agent_who_may_be_asked(cloud: FakeCloud) -> None:
    caller = DesktopCaller(Deployment(DEFAULT_STACK_NAME), "agent")
    event = {"subject": "Refund", "requester": "agent", "approvers": ["zoe"]}
    with pytest.raises(InvalidRequest, match="names 'zoe', whom the deployment does not"):
        caller.start(event, None)
    assert cloud.started == []
    caller.start({**event, "approvers": ["ann"]}, None)
    assert len(cloud.started) == 1
