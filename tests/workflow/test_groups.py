"""Approvers that stand for groups: known to the deployment, or read in a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, Quorum, wait_for_approval
from tests.anything import a_document

from .conftest import StageFactory


def test_should_ask_the_members_of_the_deployments_groups(
    make_stage: StageFactory, tmp_path: Path
) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text('{"leads": ["ann", "bob"]}')
    stage = make_stage(APPROVER_GROUPS=str(groups))
    stage.start(a_document(approvers=["Leads"]))
    stage.suspend()
    assert stage.approval.approvers == ("ann", "bob")

    stage.decide(by="bob")

    assert stage.finish()["decided_by"] == "bob"


def test_should_read_members_once_however_often_it_is_replayed(make_stage: StageFactory) -> None:
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

    stage = make_stage(handler)
    stage.start({})
    stage.suspend()
    assert stage.approval.approvers == ("ann", "bob", "cid")

    stage.decide(by="ann")
    stage.decide(by="cid")

    assert stage.finish() == {"status": "approved"}
    assert asked == ["leads", "cid"]
    assert stage.invocations > 1
    assert stage.names()[0] == "document.members"
