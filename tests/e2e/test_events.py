"""What has been committed reaches the event bus of the local cloud, through the publisher."""

from __future__ import annotations

import json
from typing import Any

from hitl_approval.contract import Events, Output
from tests.deployed import InMode

from .conftest import Live, eventually
from .erased import erase


def listen(live: Live) -> str:
    """A queue that every event of this deployment is brought to."""
    sqs, events = live.deployment.client("sqs"), live.deployment.client("events")
    url = str(sqs.create_queue(QueueName=f"{live.stack}-events")["QueueUrl"])
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    table = live.deployment.output(Output.APPROVALS_TABLE_NAME)
    pattern = {"source": [Events.SOURCE], "detail": {"deployment": [table]}}
    events.put_rule(Name=f"{live.stack}-events", EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": answer["Attributes"]["QueueArn"]}
    events.put_targets(Rule=f"{live.stack}-events", Targets=[target])
    return url


def test_should_bring_each_transition_to_the_bus(callback_live: Live) -> None:
    live = callback_live
    queue = listen(live)
    received: dict[str, dict[str, Any]] = {}

    def on_the_bus(approval_id: str, count: int) -> list[dict[str, Any]]:
        for message in (
            live.deployment.client("sqs")
            .receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            .get("Messages", [])
        ):
            event = json.loads(message["Body"])
            received[event["detail"]["event_id"]] = event
        ours = [e for e in received.values() if e["detail"]["approval_id"] == approval_id]
        return sorted(ours, key=_sequence) if len(ours) == count else []

    started = live.submit()
    approval_id = started["approval_id"]
    [requested] = eventually(lambda: on_the_bus(approval_id, 1), "event of the request")
    live.decide(approval_id, "rejected")
    requested, decided = eventually(lambda: on_the_bus(approval_id, 2), "event of the decision")

    assert [e["detail-type"] for e in (requested, decided)] == [
        "Approval Requested",
        "Approval Decided",
    ]
    assert decided["source"] == "hitl-approval"
    assert decided["detail"]["status"] == "rejected"
    assert decided["detail"]["document_id"] == "doc-123"
    live.result(started["execution_arn"])


def test_should_count_what_is_changed_or_removed_of_the_trail(in_mode: InMode) -> None:
    """As somebody who may write the audit table; what they did is undone at the end.

    Not in the deployment of which `hitl doctor` must say in its own test that all is well.
    """
    live = in_mode("polling")
    started = live.submit()
    live.decide(started["approval_id"], "approved")
    live.result(started["execution_arn"])
    dynamodb = live.deployment.client("dynamodb")
    table = live.deployment.output(Output.AUDIT_TABLE_NAME)
    key = {"approval_id": {"S": started["approval_id"]}, "sequence": {"N": "2"}}
    event = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]

    dynamodb.put_item(TableName=table, Item={**event, "actor": {"S": "mallory"}})
    dynamodb.delete_item(TableName=table, Key=key)
    dynamodb.put_item(TableName=table, Item=event)

    eventually(lambda: _counted(live, started["approval_id"]) == 2, "the two alterations counted")


def test_should_take_an_erasure_for_none(in_mode: InMode) -> None:
    """By the operator's rights, as `hitl audit erase` does it a day later."""
    live = in_mode("polling")
    started = live.submit()
    approval_id = started["approval_id"]
    live.decide(approval_id, "approved", approver="gone@example.com")
    live.result(started["execution_arn"])

    assert erase(live, "gone@example.com") == [approval_id]
    eventually(
        lambda: _counted(live, approval_id, "values were erased") == 1, "the erasure counted"
    )
    assert _counted(live, approval_id) == 0


def _counted(live: Live, approval_id: str, what: str = "was changed or removed") -> int:
    """Events of an approval that the publisher's log names so."""
    logs = live.deployment.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{live.stack}-")["logGroups"]
    said = [
        entry["message"]
        for group in groups
        if "Publisher" in group["logGroupName"]
        for entry in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]
    ]
    return sum(what in line and approval_id in line for line in said)


def _sequence(event: dict[str, Any]) -> int:
    return int(event["detail"]["sequence"])
