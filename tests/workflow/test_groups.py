"""Approvers that stand for groups: known to the deployment, or read in a step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, Quorum, wait_for_approval
from tests.anything import a_document

from .conftest import StageFactory


def known(
    folder: Path, groups: dict[str, list[str]], approvers: Sequence[str] = ()
) -> dict[str, str]:
    """The environment of a deployment that knows these groups and names these approvers."""
    file = folder / "groups.json"
    file.write_text(json.dumps(groups))
    return {"APPROVER_GROUPS": str(file), "DEFAULT_APPROVERS": json.dumps(list(approvers))}


def test_should_ask_the_members_of_the_deployments_groups(
    make_stage: StageFactory, tmp_path: Path
) -> None:
    stage = make_stage(**known(tmp_path, {"leads": ["ann", "bob"]}))
    stage.start(a_document(approvers=["Leads"]))
    stage.suspend()
    assert stage.approval.approvers == ("ann", "bob")

    stage.decide(by="bob")

    assert stage.finish()["decided_by"] == "bob"


def test_should_read_members_once_however_often_it_is_replayed(
    make_stage: StageFactory, tmp_path: Path
) -> None:
    asked: list[str] = []

    def members(name: str) -> list[str] | None:
        asked.append(name)
        return ["ann", "bob"] if name == "leads" else None

    @durable_execution
    def handler(event: Any, context: DurableContext) -> dict[str, Any]:
        request = ApprovalRequest(
            subject="Refund", requester="rita", approvers=["leads", "cid"],
            quorum=Quorum.at_least(2),
        )  # fmt: skip
        outcome = wait_for_approval(context, request, name="document", members=members)
        return {"statusCode": 200, "body": f'{{"status": "{outcome.status}"}}'}

    stage = make_stage(handler, **known(tmp_path, {"all": ["ann", "bob", "cid"]}, ["dan"]))
    stage.start({})
    stage.suspend()
    assert stage.approval.approvers == ("ann", "bob", "cid")

    stage.decide(by="ann")
    stage.decide(by="cid")

    assert stage.finish() == {"status": "approved"}
    assert asked == ["leads", "cid"]
    assert stage.invocations > 1
    assert stage.names()[0] == "document.members"


@pytest.fixture
def named(tmp_path: Path) -> dict[str, str]:
    """The environment of a deployment that names people and a group."""
    return known(tmp_path, {"leads": ["dan"]}, ["ann", "bob", "cid"])


@pytest.mark.parametrize(
    "names", [["eve"], ["ann", "eve"], ["eve", "mallory"], ["leads", "ann\u200b"]]
)
def test_should_ask_nobody_whom_the_deployment_does_not_name(
    make_stage: StageFactory, named: dict[str, str], names: list[str]
) -> None:
    stage = make_stage(**named)
    stage.start(a_document(approvers=names))
    message = str(stage.fail().message)
    assert "whom this deployment does not: name one or more of leads, ann, bob, cid, dan" in message
    assert stage.store.approvals == {}


@pytest.mark.parametrize(
    ("names", "people"),
    [
        (["Bob"], ("Bob",)),
        (["leads"], ("dan",)),
        (["dan", "cid"], ("dan", "cid")),
        ([], ("ann", "bob", "cid")),
    ],
)
def test_should_let_a_request_choose_among_those_whom_the_deployment_names(
    make_stage: StageFactory, named: dict[str, str], names: list[str], people: tuple[str, ...]
) -> None:
    stage = make_stage(**named)
    stage.start(a_document(**({"approvers": names} if names else {})))
    stage.suspend()
    assert stage.approval.approvers == people


def test_should_let_a_request_name_whom_it_likes_where_the_deployment_says_so(
    make_stage: StageFactory,
    named: dict[str, str],
) -> None:
    stage = make_stage(**named, REQUESTS_NAME_APPROVERS="true")
    stage.start(a_document(approvers=["eve", "leads"]))
    stage.suspend()
    assert stage.approval.approvers == ("eve", "dan")


def test_should_hold_what_members_returns_to_the_same_rule(
    make_stage: StageFactory, named: dict[str, str]
) -> None:
    @durable_execution
    def handler(_: Any, context: DurableContext) -> dict[str, Any]:
        request = ApprovalRequest(subject="Refund", requester="rita", approvers=["leads"])
        wait_for_approval(context, request, name="document", members=lambda _: ["eve"])
        return {}

    stage = make_stage(handler, **named)
    stage.start({})
    assert "names 'eve', whom this deployment does not" in str(stage.fail().message)
    assert stage.store.approvals == {}


def test_should_ask_members_for_the_deployments_approvers_where_a_request_names_nobody(
    make_stage: StageFactory,
) -> None:
    @durable_execution
    def handler(_: Any, context: DurableContext) -> dict[str, Any]:
        request = ApprovalRequest(subject="Refund", requester="rita")
        wait_for_approval(context, request, name="document", members={"leads": ["ann", "bob"]}.get)
        raise AssertionError("nobody has decided")

    environment = {"DEFAULT_APPROVERS": '["leads", "cid"]', "REQUESTS_NAME_APPROVERS": "true"}
    stage = make_stage(handler, **environment)
    stage.start({})
    stage.suspend()
    assert stage.approval.approvers == ("ann", "bob", "cid")
