"""The deployed stack on the local cloud: every way an approval ends, in both resume modes."""

from __future__ import annotations

import json

import pytest

from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

from .conftest import Live, eventually


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_should_carry_a_decision_to_the_row_the_result_and_the_audit(
    live: Live, decision: str
) -> None:
    started = live.submit()
    approval_id = started["approval_id"]
    (message,) = eventually(lambda: live.messages(approval_id), "notification")
    assert message["Subject"] == "Approval needed: Q4 Budget Proposal"

    live.decide(approval_id, decision)
    body = live.result(started["execution_arn"])

    assert (body["decision"], body["decided_by"], body["comments"], body["document_id"]) == (
        decision,
        "test-approver",
        "read it twice",
        "doc-123",
    )
    (row,) = live.rows(started["execution_arn"])
    assert row["status"]["S"] == decision
    assert row["decided_by"]["S"] == "test-approver"
    assert row["comments"]["S"] == "read it twice"
    assert row["decided_at"]["S"] == body["decided_at"]
    assert live.events(approval_id) == ["requested", decision]
    assert len(live.messages(approval_id)) == 1


def test_should_write_a_timeout_to_the_row_and_the_result(live: Live) -> None:
    started = live.submit(timeout_seconds=2)

    assert live.result(started["execution_arn"])["decision"] == "timeout"
    assert live.row(started["approval_id"])["status"]["S"] == "timeout"
    assert live.events(started["approval_id"]) == ["requested", "timeout"]
    with pytest.raises(CliError) as refused:
        live.decide(started["approval_id"], "approved")
    assert refused.value.code == "APPROVAL_EXPIRED"


def test_should_end_with_a_cancellation(live: Live) -> None:
    started = live.submit()
    live.deployment.call(
        {"action": "cancel", "approval_id": started["approval_id"], "approver": "user@example.com"}
    )
    assert live.result(started["execution_arn"])["decision"] == "cancelled"


def test_should_start_one_workflow_when_the_start_is_delivered_twice(live: Live) -> None:
    client = live.deployment.client("lambda")
    event = {"document_id": "d", "document_name": "twice", "requester": "rita"}
    arns = {
        client.invoke(
            FunctionName=live.deployment.output("WorkflowFunctionArn"),
            InvocationType="Event",
            DurableExecutionName="delivered-twice",
            Payload=json.dumps(event),
        )["DurableExecutionArn"]
        for _ in range(2)
    }
    assert len(arns) == 1
    (arn,) = arns
    (row,) = eventually(lambda: live.rows(arn), "row")
    approval_id = row["approval_id"]["S"]
    live.decide(approval_id, "approved")
    live.result(arn)
    assert len(live.rows(arn)) == 1
    assert len(live.messages(approval_id)) == 1


@pytest.mark.parametrize("result", [b"approved", b'{"decision": "approved"}', b"{", b""], ids=repr)
def test_should_approve_nothing_when_a_callback_brings_garbage(
    callback_live: Live, result: bytes
) -> None:
    live = callback_live
    started = live.submit()
    approval_id = started["approval_id"]
    row = live.row(approval_id)
    client = live.deployment.client("lambda")
    client.send_durable_execution_callback_success(
        CallbackId=row["callback_id"]["S"], Result=result
    )
    eventually(lambda: live.row(approval_id)["callback_id"] != row["callback_id"], "new callback")
    assert live.row(approval_id)["status"]["S"] == "pending"

    live.decide(approval_id, "rejected")
    assert live.result(started["execution_arn"])["decision"] == "rejected"


def test_should_fail_an_invalid_start_before_any_row_or_message(live: Live) -> None:
    client = live.deployment.client("lambda")
    event = {"document_id": "", "document_name": "invalid start", "requester": "rita"}
    arn = client.invoke(
        FunctionName=live.deployment.output("WorkflowFunctionArn"),
        InvocationType="Event",
        Payload=json.dumps(event),
    )["DurableExecutionArn"]

    execution = eventually(
        lambda: (e := live.deployment.outcome(arn))["Status"] != "RUNNING" and e, "end"
    )

    assert execution["Status"] == "FAILED"
    assert execution["Error"]["ErrorType"] == "hitl_approval.InvalidRequest"
    assert execution["Error"]["ErrorMessage"] == "document_id: must not be empty"
    assert live.rows(arn) == []
    assert not [m for m in live.messages("") if "invalid start" in m["Message"]]


@pytest.mark.parametrize(
    "name",
    ["n" * 101, "<script>alert(1)</script>", "Budget 🚀 2026"],
    ids=["long", "html", "emoji"],
)
def test_should_take_every_harmless_name(live: Live, name: str) -> None:
    started = live.submit(document_name=name)
    (message,) = eventually(lambda: live.messages(started["approval_id"]), "notification")
    assert name in message["Message"]
    assert len(message["Subject"]) < 100
    live.decide(started["approval_id"], "approved")
    live.result(started["execution_arn"])


def test_should_refuse_with_a_code_over_the_wire(live: Live) -> None:
    for payload, code in (
        ({"action": "get", "approval_id": "nobody"}, "APPROVAL_NOT_FOUND"),
        ({"action": "list", "limit": 0}, "INVALID_REQUEST"),
        ({"action": "list", "status": "foo"}, "INVALID_REQUEST"),
        ({}, "INVALID_REQUEST"),
    ):
        answer = live.deployment.client("lambda").invoke(
            FunctionName=live.deployment.output("ApprovalApiFunctionName"),
            Payload=json.dumps(payload).encode(),
        )
        reply = json.loads(answer["Payload"].read())
        assert json.loads(reply["body"])["error"]["code"] == code


def test_should_list_in_pages_over_the_wire(live: Live) -> None:
    ids = [live.submit(document_name=f"page {n}")["approval_id"] for n in range(3)]
    seen: list[str] = []
    cursor = None
    while True:
        page = live.deployment.call(
            {"action": "list", "limit": 1} | ({"cursor": cursor} if cursor else {})
        )
        seen += [item["approval_id"] for item in page["approvals"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert [i for i in seen if i in ids] == list(reversed(ids))
    for approval_id in ids:
        live.deployment.call(
            {"action": "cancel", "approval_id": approval_id, "approver": "user@example.com"}
        )


def test_should_name_a_stack_that_is_not_there(live: Live) -> None:
    deployment = live.deployment
    other = Deployment("no-such-stack", deployment.region, None, deployment.endpoint_url)
    with pytest.raises(CliError, match="no stack no-such-stack in us-east-1"):
        other.call({"action": "list"})
