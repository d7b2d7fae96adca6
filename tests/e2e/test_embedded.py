"""Functions of an app's own, attached to two deployments in one stack of the local cloud."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud

from .conftest import ROOT, eventually

APP = Path(__file__).parent / "apps" / "embedded.py"
HANDLER = """
from datetime import timedelta
from aws_durable_execution_sdk_python import durable_execution
from hitl_approval import ApprovalRequest, wait_for_approval

@durable_execution
def handler(event, context):
    outcome = wait_for_approval(context, ApprovalRequest(
        subject=event["subject"], requester="rita",
        timeout=timedelta(seconds=event.get("seconds", 3600))))
    return {"code": CODE, "status": outcome.status, "votes": [v.approver for v in outcome.votes]}
"""


@dataclass
class Embedded:
    """The deployed app, which can be deployed again with other code."""

    cloud: LocalCloud
    folder: Path

    def deploy(self, code: str) -> None:
        handler = self.folder / "code" / "asking.py"
        handler.parent.mkdir(exist_ok=True)
        handler.write_text(HANDLER.replace("CODE", repr(code)))
        environment = {**self.cloud.environment(), "CODE_FOLDER": str(handler.parent)}
        assembly = self.folder / "cdk.out"
        cdk.finish("cdk synth", cdk.start_synth(self.folder, environment, {}, assembly))
        cdk.finish("cdk deploy", cdk.start_deploy(self.folder, environment, assembly))

    @property
    def deployment(self) -> Deployment:
        """Read anew: outputs change with each deployment."""
        return Deployment("embedded", self.cloud.region, None, self.cloud.endpoint_url)

    def start(self, function: str, **event: Any) -> str:
        answer = self.deployment.client("lambda").invoke(
            FunctionName=self.deployment.output(f"{function}Arn"),
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )
        return str(answer["DurableExecutionArn"])

    def ask(self, function: str, **payload: Any) -> dict[str, Any]:
        answer = self.deployment.client("lambda").invoke(
            FunctionName=self.deployment.output(f"{function}Decide"),
            Payload=json.dumps(payload).encode(),
        )
        reply = json.loads(answer["Payload"].read())
        body: dict[str, Any] = json.loads(reply["body"])
        return body

    def pending(self, function: str, subject: str) -> str:
        def found() -> Any:
            page = self.ask(function, action="list", status="pending", limit=100)
            return next((a["approval_id"] for a in page["approvals"] if a["subject"] == subject), 0)

        return str(eventually(found, f"request {subject}"))

    def approve(self, function: str, approval_id: str, who: str) -> dict[str, Any]:
        return self.ask(
            function, action="decide", approval_id=approval_id, decision="approved", approver=who
        )

    def result(self, arn: str) -> dict[str, Any]:
        def ended() -> Any:
            execution = self.deployment.outcome(arn)
            return None if execution["Status"] == "RUNNING" else execution

        execution = eventually(ended, "end of the function")
        assert execution["Status"] == "SUCCEEDED", execution
        result: dict[str, Any] = json.loads(execution["Result"])
        return result


@pytest.fixture(scope="module")
def embedded(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    folder = tmp_path_factory.mktemp("embedded")
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} {APP}"}))
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    made = Embedded(cloud, folder)
    made.deploy("first")
    return made


def test_should_wait_in_each_function_by_its_own_deployments_rules(embedded: Embedded) -> None:
    refund = embedded.start("Refund", subject="Refund 70")
    release = embedded.start("Release", subject="Release 7")
    refund_id = embedded.pending("Refund", "Refund 70")
    release_id = embedded.pending("Release", "Release 7")

    assert "error" in embedded.ask("Release", action="get", approval_id=refund_id)
    assert embedded.approve("Refund", refund_id, "ann")["workflow"] == "waiting"
    assert embedded.approve("Refund", refund_id, "bob")["workflow"] == "woken"
    assert embedded.approve("Release", release_id, "anybody")["workflow"] == "polls"

    assert embedded.result(refund)["votes"] == ["ann", "bob"]
    assert embedded.result(release)["status"] == "approved"


def test_should_take_silence_for_a_rejection_where_that_is_the_rule(embedded: Embedded) -> None:
    release = embedded.start("Release", subject="Release 8", seconds=2)
    assert embedded.result(release)["status"] == "rejected"


def test_should_finish_on_the_version_it_started_on(embedded: Embedded) -> None:
    old = embedded.start("Refund", subject="Refund 71")
    old_id = embedded.pending("Refund", "Refund 71")

    embedded.deploy("second")
    new = embedded.start("Refund", subject="Refund 72")
    new_id = embedded.pending("Refund", "Refund 72")
    for approval_id in (old_id, new_id):
        for who in ("ann", "bob"):
            embedded.approve("Refund", approval_id, who)

    assert embedded.result(old) == {"code": "first", "status": "approved", "votes": ["ann", "bob"]}
    assert embedded.result(new)["code"] == "second"
