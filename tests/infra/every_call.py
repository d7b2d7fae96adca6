"""Makes every call to AWS that our code makes. Runs inside a bundle, where nothing else is."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any


def main(bundle: str) -> None:
    """Go once through all adapters, over real HTTP, in the environment that the caller gives."""
    sys.path[:] = [bundle, *(path for path in sys.path if "site-packages" not in path)]

    import approval_api.handler
    import messenger.handler
    import page.handler
    import publisher.handler
    import request_api.handler
    import signed_in.handler
    import sweep.handler
    import workflow.handler
    from hitl_approval import wiring
    from hitl_approval.adapters.aws import client
    from hitl_approval.adapters.requests import RequestFunctionClient
    from hitl_approval.domain.policy import Policy
    from hitl_approval.domain.request import ApprovalRequest
    from hitl_approval.domain.request_key import RequestKey
    from hitl_approval.usecases.request import ResolvedRequest

    assert workflow.handler.__file__.startswith(bundle)
    requests, store = wiring.request_service(), wiring.decision_service().store
    resolved = ResolvedRequest(
        request=ApprovalRequest(subject="Ship it", requester="ann"),
        approvers=("bob",),
        policy=Policy(),
        timeout=timedelta(hours=1),
    )
    written = requests.submit(
        resolved, approval_id="a", execution_arn="arn", creation_token="t", callback_id="c/1="
    )
    requests.notify("a", written)
    requests.register_callback("a", "c/2=")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for payload in (
        {"action": "get", "approval_id": "a"},
        {"action": "list"},
        {"action": "people"},
        {"action": "delegate", "to": "ann's", "until": until, "approver": "bob"},
        {"action": "delegate", "to": "cid", "until": until, "approver": "bob"},
        {"action": "delegation", "approver": "bob"},
        {"action": "decide", "approval_id": "a", "decision": "approved", "approver": "cid"},
        {"action": "end_delegation", "approver": "bob"},
        {"action": "history", "approval_id": "a"},
    ):
        answer = approval_api.handler.handler(payload, None)
        assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["verified"], answer
    assert answered(request_api.handler.handler)["status"] == "pending"
    through = RequestFunctionClient(client=client("lambda"), sender=client("lambda"), function="f")
    through.note_notification_failed(RequestKey("arn", "key"), "reason")
    requests.check_status("a")
    next(store.overdue("pending", before=datetime.now(UTC), limit=10))
    list(store.postponed())
    store.take_up("a", at=datetime.now(UTC))
    wiring.sweep_service().executions.check_status("arn")
    assert sweep.handler.handler(None, None)["PendingPastExpiry"] == 0
    for route in ("GET /inbox", "GET /approvals/{approval_id}"):
        assert signed_in.handler.handler(signed_in_event(route), None)["statusCode"] == 200
    sign_in(client)
    serve_agents(wiring.workflow_starter())
    assert page.handler.handler(link_event(), None)["statusCode"] == 404  # draws the page, too
    be_in_slack(wiring.workspace())
    records = [_record(event) for event in json.loads(answer["body"])["events"]]
    assert publisher.handler.handler({"Records": records[-1:]}, None) == {"batchItemFailures": []}
    assert messenger.handler.handler({"Records": records}, None) == {"batchItemFailures": []}
    assert messenger.handler.handler({}, None) == {}
    keep_for_the_archive(wiring.archive_service())
    mail(wiring.delivery_service(), written)
    assert wiring.tasks().succeed("token", {})
    assert wiring.tasks().fail("token", "Error", "cause")
    be_durable(client)


def be_durable(client: Any) -> None:
    """What the durable SDK calls."""
    client("lambda").checkpoint_durable_execution(
        DurableExecutionArn="arn", CheckpointToken="t", Updates=[]
    )
    client("lambda").get_durable_execution_state(
        DurableExecutionArn="arn", CheckpointToken="t", Marker=""
    )


def keep_for_the_archive(archiving: Any) -> None:
    """What cannot be archived now, and what is brought again; the newest object is read first."""
    import publisher.handler
    from hitl_approval.domain.archive import START, ArchivedEvent

    event = ArchivedEvent("a", 9, "h", "2026-01-02T03:04:05.000Z")
    archiving.unarchived.put([event])
    archiving._last = None
    again = {"eventSource": "aws:sqs", "messageId": "1", "body": json.dumps([event.to_dict()])}
    assert publisher.handler.handler({"Records": [again]}, None) == {"batchItemFailures": []}
    assert archiving.archive.last().number > START.number


def serve_agents(starter: Any) -> None:
    """What agents take of AWS, and that their route answers."""
    import signed_in.handler

    started = starter.start({"subject": "Ship it", "requester": "bob"}, "mcp-1")
    assert starter.refusal(started) is None
    message = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}'
    headers = {"content-type": "application/json", "mcp-protocol-version": "2025-11-25"}
    event = signed_in_event("POST /mcp") | {"body": message, "headers": headers}
    answer = signed_in.handler.handler(event, None)
    assert len(json.loads(answer["body"])["result"]["tools"]) == 3, answer


def be_in_slack(workspace: Any) -> None:
    """What Slack takes of AWS."""
    import slack_api.handler

    assert workspace.signing_secret() == "s"
    assert slack_api.handler.handler({}, None)["statusCode"] == 401


def mail(delivery: Any, approval: Any) -> None:
    """Send one by SES, whose text and HTML are made of templates in the bundle."""
    import messenger.handler
    from hitl_approval.domain.notification import approval_needed

    said = approval_needed(approval, recipient="bob", link="https://example.com/a/b")
    said = replace(said, address="bob@example.com")
    assert delivery.notifiers["ses"].publish(said) == "0100"
    assert delivery.messages.due(before=datetime.now(UTC), limit=10)
    unknown = {"source": "aws.ses", "detail": {"eventType": "Bounce"}}
    assert messenger.handler.handler(unknown, None) == {"noted": False}


def sign_in(client: Any) -> None:
    """What signing browsers in takes of AWS."""
    from hitl_approval.adapters.kms import KmsMac

    sealing = KmsMac(client=client("kms"), key_arn="k")
    assert sealing.verify(b"cookie", sealing.make(b"cookie"))


def answered(handler: Any) -> Any:
    """What the request function answers who asks for the first time."""
    function = "arn:aws:lambda:us-east-1:123456789012:function"
    message = {
        "protocol": 1,
        "operation": "submit",
        "execution_arn": f"{function}:refund:1/durable-execution/b/1",
        "key": "refund",
        "request": {"subject": "Refund", "requester": "agent"},
        "timeout_seconds": 3600,
        "creation_token": "t",
    }
    context = type("Context", (), {"invoked_function_arn": f"{function}:request:refund"})
    return handler(message, context)["answer"]


def signed_in_event(route: str) -> dict[str, Any]:
    """What API Gateway sends for Bob, whom its authorizer knows."""
    claims = {"sub": "1", "email": "bob", "email_verified": "true"}
    return {
        "routeKey": route,
        "requestContext": {"authorizer": {"jwt": {"claims": claims}}, "domainName": "page.example"},
        "pathParameters": {"approval_id": "a"},
        "headers": {},
    }


def link_event() -> dict[str, Any]:
    """What API Gateway sends for a link to a record that is not there."""
    from hitl_approval.domain.link import make_token

    return {
        "requestContext": {"http": {"method": "GET"}, "domainName": "page.example"},
        "pathParameters": {"token": make_token("none", bytes(32))},
        "headers": {},
    }


def _record(event: Any) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeSerializer

    image = {name: TypeSerializer().serialize(value) for name, value in event.items()}
    return {
        "eventID": "1",
        "eventName": "INSERT",
        "dynamodb": {"NewImage": image, "SequenceNumber": "1"},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
