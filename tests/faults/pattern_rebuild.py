"""The public pattern's logic, rebuilt small and faithfully, to show that the harness sees.

As its README tells it: a step draws an id and puts the row, a step publishes, then a loop of a
step that reads the row and a wait of 5 seconds, until somebody has decided or the polls are used
up. The approval function reads the row, checks that it is pending, and updates it, without a
condition on what it read.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

from aws_durable_execution_sdk_python import DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

from hitl_approval.adapters.aws import client
from tests.faults.deployment import APPROVALS_TABLE, ENVIRONMENT, TIMEOUT, Deployment
from tests.faults.scenario import Scenario, decision, event

POLL = 15
"""Seconds; the pattern's are 5, which only makes more of the same."""


@durable_execution
def workflow(event: Any, context: DurableContext) -> dict[str, Any]:
    approval_id = context.step(lambda _: _create(event), name="create")
    context.step(lambda _: _notify(approval_id), name="notify")
    for _poll in range(event["timeout_seconds"] // POLL):
        row = context.step(lambda _: _get(approval_id), name="check")
        if row["status"]["S"] != "pending":
            return _result(approval_id, row)
        context.wait(Duration.from_seconds(POLL), name="wait")
    context.step(lambda _: _set(approval_id, "timeout"), name="timeout")
    return _result(approval_id, {"status": {"S": "timeout"}})


def approval_api(event: Any, _: object) -> dict[str, Any]:
    row = _get(event["approval_id"])
    if row is None:
        return _answer(404, {"message": "not found"})
    if row["status"]["S"] != "pending":
        return _answer(400, {"message": f"already {row['status']['S']}"})
    _set(event["approval_id"], event["decision"], event["approver"])
    return _answer(200, {"approval_id": event["approval_id"], "decision": event["decision"]})


def _create(event: Any) -> str:
    approval_id = str(uuid4())
    client("dynamodb").put_item(
        TableName=APPROVALS_TABLE,
        Item={
            "approval_id": {"S": approval_id},
            "document_id": {"S": event["document_id"]},
            "requester": {"S": event["requester"]},
            "status": {"S": "pending"},
        },
    )
    return approval_id


def _notify(approval_id: str) -> None:
    client("sns").publish(
        TopicArn=ENVIRONMENT["SNS_TOPIC_ARN"],
        Subject="Approval needed",
        Message=approval_id,
        MessageAttributes={"approval_id": {"DataType": "String", "StringValue": approval_id}},
    )


def _get(approval_id: str) -> Any:
    key = {"approval_id": {"S": approval_id}}
    return client("dynamodb").get_item(TableName=APPROVALS_TABLE, Key=key).get("Item")


def _set(approval_id: str, status: str, who: str | None = None) -> None:
    who_too = ", decided_by = :who" if who else ""
    client("dynamodb").update_item(
        TableName=APPROVALS_TABLE,
        Key={"approval_id": {"S": approval_id}},
        UpdateExpression=f"SET #status = :status{who_too}",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}}
        | ({":who": {"S": who}} if who else {}),
    )


def _result(approval_id: str, row: Any) -> dict[str, Any]:
    who = row.get("decided_by", {}).get("S")
    body = {"approval_id": approval_id, "decision": row["status"]["S"], "decided_by": who}
    return _answer(200, body)


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "body": json.dumps(body)}


def _decides(world: Deployment, who: str, decided: str, **options: Any) -> None:
    """Somebody answers the first message that was sent."""

    def payload() -> dict[str, Any]:
        asked = world.world.messages[0]["MessageAttributes"]["approval_id"]["StringValue"]
        return decision(asked, who, decided)

    world.person(who, payload, when=lambda: bool(world.world.messages), **options)


def _approve(world: Deployment) -> None:
    world.start("start", event())
    _decides(world, "bob", "approved")


def _opposite(world: Deployment) -> None:
    world.start("start", event())
    _decides(world, "bob", "approved")
    _decides(world, "carol", "rejected")


def _against_timeout(world: Deployment) -> None:
    world.start("start", event())
    latency = timedelta(seconds=2)
    _decides(world, "bob", "approved", at=TIMEOUT - 2 * latency, latency=latency)


_HANDLERS = (workflow, approval_api)
PATTERN = {
    scenario.name: scenario
    for scenario in [
        Scenario("pattern-approve", _approve, handlers=_HANDLERS),
        Scenario("pattern-opposite", _opposite, handlers=_HANDLERS),
        Scenario("pattern-against-timeout", _against_timeout, handlers=_HANDLERS),
    ]
}
