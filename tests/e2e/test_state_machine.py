"""A Step Functions state machine on the local cloud waits for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli.local import LocalCloud

from .conftest import eventually
from .embedding import EmbeddingApp

APP = Path(__file__).parent / "apps" / "state_machine.py"


@pytest.fixture(scope="module")
def machine(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddingApp]:
    made = EmbeddingApp.of(cloud, APP, "state-machine", tmp_path_factory.mktemp("state-machine"))
    made.deploy()
    yield made
    made.destroy()


def start(machine: EmbeddingApp, **fields: Any) -> str:
    answer = (
        machine.deployment()
        .client("stepfunctions")
        .start_execution(
            stateMachineArn=machine.output("MachineArn"),
            input=json.dumps({"amount": 70, "agent": "rita"} | fields),
        )
    )
    return str(answer["executionArn"])


def ended(machine: EmbeddingApp, arn: str) -> dict[str, Any]:
    states = machine.deployment().client("stepfunctions")

    def end() -> Any:
        execution = states.describe_execution(executionArn=arn)
        return None if execution["status"] == "RUNNING" else execution

    found: dict[str, Any] = eventually(end, "end of the state machine")
    return found


@pytest.mark.parametrize(("decision", "end"), [("approved", "paid"), ("rejected", "kept")])
def test_should_go_on_by_the_answer(machine: EmbeddingApp, decision: str, end: str) -> None:
    amount = {"approved": 71, "rejected": 72}[decision]
    arn = start(machine, amount=amount)
    approval_id = machine.pending(f"Refund {amount}")
    machine.decide(approval_id, decision, "ann", comments="read it")

    execution = ended(machine, arn)
    assert execution["status"] == "SUCCEEDED"
    output = json.loads(execution["output"])
    assert output["end"] == end
    assert output["outcome"]["approved"] is (decision == "approved")
    assert output["outcome"]["approval_id"] == approval_id
    assert output["outcome"]["decided_by"] == "ann"


def test_should_go_on_with_what_an_approver_filled_in_and_changed(machine: EmbeddingApp) -> None:
    arn = start(machine, amount=73)
    deployment, approval_id = machine.deployment(), machine.pending("Refund 73")
    record = deployment.call({"action": "get", "approval_id": approval_id})
    deployment.call(
        {
            "action": "decide",
            "decision": "approved",
            "approval_id": approval_id,
            "approver": "ann",
            "content_digest": record["content_digest"],
            "input": {"account": "4100"},
            "changes": {"amount": 70},
        }
    )
    outcome = json.loads(ended(machine, arn)["output"])["outcome"]
    assert outcome["input"] == {"account": "4100"}
    assert outcome["changes"] == {"amount": {"before": 73, "after": 70}}


def test_should_fail_the_state_when_nothing_can_be_asked(machine: EmbeddingApp) -> None:
    execution = ended(machine, start(machine, agent=""))
    assert execution["status"] == "FAILED"
    assert execution["error"] == "InvalidRequest"
    assert execution["cause"] == "requester: must not be empty"
