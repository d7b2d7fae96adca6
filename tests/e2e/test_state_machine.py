"""A Step Functions state machine on the local cloud waits for a person."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud

from .conftest import ROOT, eventually

APP = Path(__file__).parent / "apps" / "state_machine.py"
STACK = "state-machine"


@pytest.fixture(scope="module")
def deployment(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("state-machine")
    (folder / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} {APP}"}))
    environment = cloud.environment()
    assembly = folder / "cdk.out"
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    cdk.finish("cdk synth", cdk.start_synth(folder, environment, {}, assembly))
    cdk.finish("cdk deploy", cdk.start_deploy(folder, environment, assembly))
    return Deployment(STACK, cloud.region, None, cloud.endpoint_url)


def start(deployment: Deployment, **fields: Any) -> str:
    answer = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.output("MachineArn"),
        input=json.dumps({"amount": 70, "agent": "rita"} | fields),
    )
    return str(answer["executionArn"])


def ended(deployment: Deployment, arn: str) -> dict[str, Any]:
    states = deployment.client("stepfunctions")

    def end() -> Any:
        execution = states.describe_execution(executionArn=arn)
        return None if execution["status"] == "RUNNING" else execution

    found: dict[str, Any] = eventually(end, "end of the state machine")
    return found


def pending(deployment: Deployment, subject: str) -> str:
    def found() -> Any:
        page = deployment.ask({"action": "list", "status": "pending"})["approvals"]
        return next((a["approval_id"] for a in page if a["subject"] == subject), None)

    return str(eventually(found, f"request {subject}"))


@pytest.mark.parametrize(("decision", "end"), [("approved", "paid"), ("rejected", "kept")])
def test_should_go_on_by_the_answer(deployment: Deployment, decision: str, end: str) -> None:
    amount = {"approved": 71, "rejected": 72}[decision]
    arn = start(deployment, amount=amount)
    approval_id = pending(deployment, f"Refund {amount}")

    deployment.ask(
        {
            "action": "decide",
            "approval_id": approval_id,
            "decision": decision,
            "approver": "ann",
            "comments": "looked at it",
        }
    )

    execution = ended(deployment, arn)
    assert execution["status"] == "SUCCEEDED"
    output = json.loads(execution["output"])
    assert output["end"] == end
    assert output["outcome"]["approved"] is (decision == "approved")
    assert output["outcome"]["approval_id"] == approval_id
    assert output["outcome"]["decided_by"] == "ann"


def test_should_fail_the_state_when_nothing_can_be_asked(deployment: Deployment) -> None:
    execution = ended(deployment, start(deployment, agent=""))
    assert execution["status"] == "FAILED"
    assert execution["error"] == "InvalidRequest"
    assert execution["cause"] == "requester: must not be empty"
