"""What an operator or a crash leaves behind is found by the deployed sweep function."""

from __future__ import annotations

import json
from typing import Any

from hitl_approval.contract import Output

from .conftest import Live, eventually

LONG_AGO = "2026-01-01T00:00:00.000Z"


def sweep(live: Live) -> dict[str, Any]:
    answer = live.deployment.client("lambda").invoke(
        FunctionName=live.deployment.output(Output.SWEEP_FUNCTION_NAME)
    )
    assert "FunctionError" not in answer
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    return found


def backdate(live: Live, approval_id: str, **attributes: str) -> None:
    """Let the sweep's five minutes of grace have passed."""
    live.deployment.client("dynamodb").update_item(
        TableName=f"{live.stack}-ApprovalRequests",
        Key={"approval_id": {"S": approval_id}},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in attributes),
        ExpressionAttributeValues={f":{n}": {"S": value} for n, value in attributes.items()},
    )


def test_should_find_nothing_once_a_workflow_has_resumed(callback_live: Live) -> None:
    started = callback_live.submit()
    assert callback_live.row(started["approval_id"])["attention"]["S"] == "pending"
    callback_live.decide(started["approval_id"], "approved")
    callback_live.result(started["execution_arn"])

    row = callback_live.row(started["approval_id"])
    assert "attention" not in row
    assert row["resumed"]["BOOL"] is True


def test_should_find_once_a_decision_whose_workflow_was_stopped(callback_live: Live) -> None:
    live = callback_live
    started = live.submit()
    live.deployment.client("lambda").stop_durable_execution(
        DurableExecutionArn=started["execution_arn"]
    )
    live.decide(started["approval_id"], "approved")
    backdate(live, started["approval_id"], attention_at=LONG_AGO)

    assert sweep(live)["DecidedNotResumed"] >= 1
    assert "attention" not in live.row(started["approval_id"])
    assert sweep(live)["DecidedNotResumed"] == 0


def test_should_close_a_request_whose_workflow_was_stopped(callback_live: Live) -> None:
    live = callback_live
    started = live.submit()
    live.deployment.client("lambda").stop_durable_execution(
        DurableExecutionArn=started["execution_arn"]
    )
    expires_at = live.row(started["approval_id"])["expires_at"]["S"]
    backdate(live, started["approval_id"], attention_at=LONG_AGO, expires_at=LONG_AGO)

    assert sweep(live)["PendingPastExpiry"] >= 1
    assert live.row(started["approval_id"])["status"]["S"] == "timeout"
    assert live.events(started["approval_id"]) == ["requested", "timeout"]
    # As its trail says it: the tests that share this deployment find nothing altered.
    backdate(live, started["approval_id"], expires_at=expires_at)


def test_should_resume_a_workflow_that_was_not_resumed(callback_live: Live) -> None:
    live = callback_live
    started = live.submit()
    approval_id = started["approval_id"]
    callback = live.row(approval_id)["callback_id"]["S"]
    backdate(live, approval_id, callback_id="bm90LWEtYmVsbA==")  # the decider's callback gets lost
    live.decide(approval_id, "approved")
    backdate(live, approval_id, callback_id=callback, attention_at=LONG_AGO)

    assert sweep(live)["DecidedNotResumed"] >= 1

    assert live.result(started["execution_arn"], patience=30)["decision"] == "approved"
    eventually(lambda: "attention" not in live.row(approval_id), "acknowledgement")
