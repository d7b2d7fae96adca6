"""What functions may do and what they do, both ways, over one run that uses a whole deployment.

Threat: a right that nobody uses is there for whoever takes a function over; a right that is missing
shows first in AWS. The local cloud holds each call to its grant in every test of this folder
(`conftest.py`); here each grant is used, or it is said why this run cannot.
"""

from __future__ import annotations

import http.client
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest

from hitl_approval.contract import Messages, Output
from hitl_approval.domain.message import ATTEMPTS_TO_NOTE, MAX_ATTEMPTS
from hitl_approval_cli.commands.local.senders import verify_senders
from hitl_approval_cli.local import LocalCloud, sent_messages
from tests.deployed import Live, People, eventually, permissions_of

from .embedding import EmbeddingApp
from .test_page import fetch, nonce_of

APP = Path(__file__).parent / "apps" / "permitted.py"
HANDLER = """
from datetime import timedelta
from aws_durable_execution_sdk_python import durable_execution
from hitl_approval import ApprovalRequest, wait_for_approval

@durable_execution
def handler(event, context):
    asked = ApprovalRequest(
        subject=event["subject"], requester="rita", approvers=("ann@example.com",),
        timeout=timedelta(hours=1), supersedes=event.get("supersedes"))
    return {"status": wait_for_approval(context, asked).status}
"""
ANN, BOB, CARL = "ann@example.com", "bob@example.com", "carl"
NAMED = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
    "AWS::SES::ConfigurationSet",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
}
"""Resources that are named by their ids in the app, not as CloudFormation names them."""
SENDER = "approvals@example.com"
LONG_AGO = "2026-01-01T00:00:00.000Z"


@dataclass
class Run:
    """A deployment of the app, and what people do with it."""

    cloud: LocalCloud
    app: EmbeddingApp
    live: Live
    people: People

    def ask(self, subject: str, *approvers: str, **fields: Any) -> dict[str, Any]:
        """A request by the packaged workflow, once it is pending."""
        document = {"document_id": "d", "document_name": subject, "requester": "rita"}
        started = self.live.deployment.submit(
            document | {"approvers": list(approvers or (ANN, BOB)), **fields}
        )
        self.app.pending(subject)
        return started

    def call(self, action: str, **fields: Any) -> dict[str, Any]:
        return self.live.deployment.call({"action": action, **fields})

    def signed_in(self, who: str, method: str, path: str, **body: Any) -> Any:
        """A call of the JSON API."""
        cloud = urlsplit(self.cloud.endpoint_url)
        host = urlsplit(self.live.deployment.output(Output.PAGE_URL)).netloc
        headers = {
            "Host": host,
            "Authorization": f"Bearer {self.people.token(who)}",
            "Content-Type": "application/json",
        }
        connection = http.client.HTTPConnection(cloud.hostname or "", cloud.port)
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, text
        return json.loads(text)

    def link(self, who: str, subject: str) -> str:
        """The personal link in a mail."""

        def found() -> str | None:
            for mail in reversed(sent_messages(self.cloud.environment(), 0)):
                if mail["to"] == [who] and mail["subject"].endswith(subject):
                    return str(re.findall(r"https?://\S+/a/\S+", mail["body"])[0])
            return None

        return str(eventually(found, f"mail to {who} about {subject}"))

    def opened(self, link: str) -> dict[str, str]:
        """The form that a link opens, filled in."""
        _, page = fetch(self.live, link)
        return {"nonce": nonce_of(page), "decision": "approved", "comments": "read"}

    def send(self, link: str, form: dict[str, str]) -> None:
        status, page = fetch(self.live, link, "POST", form)
        assert (status, "approved" in page) == (200, True)

    def physical(self, logical: str) -> str:
        """The name of the one resource whose logical id begins so."""
        cloudformation = self.live.deployment.client("cloudformation")
        pages = cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=self.app.stack
        )
        names = [
            each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if re.fullmatch(f"{logical}[0-9A-F]{{8}}", each["LogicalResourceId"])
        ]
        [name] = names
        return str(name)

    def refund(self, subject: str, *_: str) -> dict[str, Any]:
        """A request by the attached function, once it is pending."""
        arn = self.app.start(self.app.output("RefundArn"), {"subject": subject})
        return {"execution_arn": arn, "approval_id": self.app.pending(subject)}

    def unused(self) -> set[tuple[str, str, str]]:
        """Grants without a call: role, action and resource, by their ids in the app."""
        cloudformation = self.live.deployment.client("cloudformation")
        pages = cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=self.app.stack
        )
        ids = {
            each["PhysicalResourceId"]: each["LogicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] in NAMED
        }
        names = {
            physical.rpartition(":")[2].rpartition("/")[2]: re.sub(r"[0-9A-F]{8}$", "", logical)
            for physical, logical in ids.items()
        }
        by_length = sorted(filter(None, names), key=len, reverse=True)

        def named(arn: str) -> str:
            place = arn.split(":", 5)[-1]
            for name in by_length:
                place = place.replace(name, f"<{names[name]}>")
            return place.removeprefix("function:").removeprefix("table/").removeprefix("key/")

        return {
            (names[grant["role"]], grant["action"], named(grant["resource"]))
            for grant in permissions_of(self.cloud)["grants"]
            if names.get(grant["role"], "").startswith("Approval") and not grant["calls"]
        }

    def backdate(self, approval_id: str, **times: str) -> None:
        """Let time have passed for the sweep."""
        self.live.deployment.client("dynamodb").update_item(
            TableName=self.live.deployment.output(Output.APPROVALS_TABLE_NAME),
            Key={"approval_id": {"S": approval_id}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in times),
            ExpressionAttributeValues={f":{n}": {"S": value} for n, value in times.items()},
        )

    def sweep(self) -> None:
        answer = self.live.deployment.client("lambda").invoke(
            FunctionName=self.live.deployment.output(Output.SWEEP_FUNCTION_NAME)
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def stop(self, started: dict[str, Any]) -> str:
        """End the workflow of a request, which then is not resumed; returns the approval's id."""
        self.live.deployment.client("lambda").stop_durable_execution(
            DurableExecutionArn=started["execution_arn"]
        )
        return str(started["approval_id"])


@pytest.fixture(scope="module")
def run(
    cloud: LocalCloud, people: People, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("permitted")
    (folder / "code").mkdir()
    (folder / "code" / "asking.py").write_text(HANDLER)
    app = EmbeddingApp.of(cloud, APP, "permitted", folder)
    app.deploy(CODE_FOLDER=str(folder / "code"), SIGN_IN=people.sign_in)
    verify_senders(cloud.environment(), [app.stack])
    with patch.dict(os.environ, cloud.environment()):
        yield Run(cloud, app, Live(app.stack, app.deployment()), people)
    app.destroy()


def test_should_use_every_grant(run: Run) -> None:
    everything(run)
    assert run.unused() == set(UNUSED)


_OF_DYNAMODB = "DynamoDB's guide demands it of who uses a table's key; the emulator's calls no KMS"
_AFTER_A_DAY = "where Lambda notes a batch of the stream that has failed for a day"
_RAW = "SES v2's reference names it for the operation; AWS holds mails as bytes to SendRawEmail"
_DATA_KEY = "GenerateDataKey"
ROLES = (
    "Approval",
    "Messenger",
    "Page",
    "Publisher",
    "Request",
    "SignedIn",
    "Sweep",
    "Workflow",
)
UNUSED = {
    **{
        (f"Approval{role}Role", f"kms:{action}", "<Key>"): _OF_DYNAMODB
        for role in ROLES
        for action in ("DescribeKey", "Encrypt", _DATA_KEY, "ReEncryptFrom", "ReEncryptTo")
        # The queues of these two have the key, too.
        if (role, action) not in {("Publisher", _DATA_KEY), ("Workflow", _DATA_KEY)}
    },
    **{
        ("ApprovalMessengerRole", "ses:SendEmail", resource): _RAW
        for resource in (
            "configuration-set/<ApprovalMailConfigurationSet>",
            "identity/approvals@example.com",
            "identity/example.com",
        )
    },
    ("ApprovalMessengerRole", "sqs:SendMessage", "<ApprovalDeadLetterQueue>"): _AFTER_A_DAY,
    ("ApprovalPublisherRole", "sqs:SendMessage", "<ApprovalDeadLetterQueue>"): _AFTER_A_DAY,
    ("ApprovalPageRole", "dynamodb:ConditionCheckItem", "<ApprovalTable>"): (
        "a link's owner is replaced, and stands in, between two reads of one vote"
    ),
    (
        "ApprovalWorkflowRole",
        "lambda:GetDurableExecutionState",
        "<ApprovalWorkflowFunction>:*",
    ): "the SDK reads on where Lambda has not handed over all operations of a long execution",
}
"""Grants that this run does not use, each with its reason."""


def everything(run: Run) -> None:
    """What people, programs and mishaps do with a deployment."""
    for flow in FLOWS:
        flow(run)


def decide_by_link(run: Run, link: str) -> None:
    run.send(link, run.opened(link))


def by_link(run: Run) -> None:
    asked = run.ask("By link")
    run.call("comment", approval_id=asked["approval_id"], approver=BOB, comments="?", question=True)
    decide_by_link(run, run.link(ANN, "By link"))
    run.live.result(asked["execution_arn"])
    run.call("history", approval_id=asked["approval_id"])


def replaced(run: Run) -> None:
    """Somebody without an address is asked and reminded; then another request stands for it."""
    first = run.ask("Replaced", CARL, BOB)
    run.call("inbox", approver=CARL)
    run.call("remind", approval_id=first["approval_id"], approver="rita")
    second = run.ask("Replacing", BOB, supersedes=first["approval_id"])
    run.live.result(first["execution_arn"])
    run.call("decide", approval_id=second["approval_id"], decision="approved", approver=BOB)
    run.live.result(second["execution_arn"])


def signed_in(run: Run) -> None:
    """Ann is away: Bob answers for her, signed in and by the approval function."""
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    run.signed_in(ANN, "POST", "/v1/delegation", to=BOB, until=until)
    by_api, by_call = run.ask("For Ann 1", ANN), run.ask("For Ann 2", ANN)
    run.signed_in(BOB, "GET", "/v1/inbox")
    run.signed_in(BOB, "GET", "/v1/approvals")
    path = f"/v1/approvals/{by_api['approval_id']}"
    run.signed_in(BOB, "GET", path)
    run.signed_in(BOB, "GET", f"{path}/history")
    run.signed_in(BOB, "POST", f"{path}/decision", decision="approved", comments="for ann")
    run.call("decide", approval_id=by_call["approval_id"], decision="approved", approver=BOB)
    for each in (by_api, by_call):
        run.live.result(each["execution_arn"])
    run.signed_in(ANN, "DELETE", "/v1/delegation")


def attached(run: Run) -> None:
    """A function of the app's own asks through the request function."""
    function = run.app.output("RefundArn")
    one = run.app.start(function, {"subject": "Refund 1"})
    first = run.app.pending("Refund 1")
    two = run.app.start(function, {"subject": "Refund 2", "supersedes": first})
    run.app.result(one)
    decide_by_link(run, run.link(ANN, "Refund 2"))
    run.app.result(two)


def machine(run: Run) -> None:
    """A state machine gets the answer, and one that asks what cannot be asked the reason."""
    states = run.live.deployment.client("stepfunctions")

    def start(subject: str) -> str:
        given = json.dumps({"subject": subject})
        machine = run.app.output("MachineArn")
        started = states.start_execution(stateMachineArn=machine, input=given)
        return str(started["executionArn"])

    def ends(execution: str, status: str) -> None:
        eventually(
            lambda: states.describe_execution(executionArn=execution)["status"] == status, status
        )

    good, bad = start("By a machine"), start("")
    approval_id = run.app.pending("By a machine")
    run.call("decide", approval_id=approval_id, decision="approved", approver=BOB)
    ends(good, "SUCCEEDED")
    ends(bad, "FAILED")


def never_asked(run: Run) -> None:
    """A start that asks nothing ends in the dead-letter queue."""
    run.live.deployment.submit({"subject": ""})
    noted = ("ApprovalWorkflowRole", "sqs:SendMessage", "<ApprovalDeadLetterQueue>")
    eventually(lambda: noted not in run.unused(), "dead letter")


def left_behind(run: Run) -> None:
    """Workflows that were stopped: who decides finds that they have ended, and so does the sweep.

    One that waits is past its time, and the sweep closes its request and resumes it.
    """
    for kind, ask in (("Packaged", run.ask), ("Attached", run.refund)):
        by_link, by_api, by_call = (run.stop(ask(f"{kind} {n}", ANN)) for n in range(3))
        decide_by_link(run, run.link(ANN, f"{kind} 0"))
        run.signed_in(ANN, "POST", f"/v1/approvals/{by_api}/decision", decision="approved")
        run.call("decide", approval_id=by_call, decision="approved", approver=ANN)
        for decided in (by_link, by_api, by_call):
            run.backdate(decided, attention_at=LONG_AGO)
        late = ask(f"{kind} late", ANN)["approval_id"]
        run.backdate(late, expires_at=LONG_AGO, attention_at=LONG_AGO)
    run.sweep()


def archived_later(run: Run) -> None:
    """The key that signs the archive is not to be had for a while, and the publisher is new."""
    kms = run.live.deployment.client("kms")
    key = run.live.deployment.output(Output.ARCHIVE_KEY_ARN)
    publisher = run.physical("ApprovalPublisherFunction")
    run.live.deployment.client("lambda").update_function_configuration(
        FunctionName=publisher, Description="another process"
    )
    kms.disable_key(KeyId=key)
    run.ask("Archived later")
    waiting = ("ApprovalPublisherRole", "sqs:SendMessage", "<ApprovalArchiveQueue>")
    eventually(lambda: waiting not in run.unused(), "event that is archived later")
    kms.enable_key(KeyId=key)


def undeliverable(run: Run) -> None:
    """A mail is refused until the record says so, then until it is given up, and is sent again."""
    client = run.live.deployment.client
    identities, messages = client("sesv2"), run.physical("ApprovalMessagesTable")
    messenger = run.physical("ApprovalMessengerFunction")
    identities.delete_email_identity(EmailIdentity=SENDER)
    approval_id = run.ask("Not delivered", ANN)["approval_id"]
    table = client("dynamodb")

    def tried(attempts: int) -> None:
        found = table.query(
            TableName=messages,
            KeyConditionExpression="approval_id = :id",
            ExpressionAttributeValues={":id": {"S": approval_id}},
        )
        for row in found["Items"]:
            table.update_item(
                TableName=messages,
                Key={name: row[name] for name in (Messages.PARTITION_KEY, Messages.SORT_KEY)},
                UpdateExpression="SET #due = :now, attempts = :attempts",
                ExpressionAttributeNames={"#due": Messages.DUE},
                ExpressionAttributeValues={
                    ":now": {"S": LONG_AGO},
                    ":attempts": {"N": str(attempts)},
                },
            )
        client("lambda").invoke(FunctionName=messenger, Payload="{}")

    def noted() -> bool:
        tried(ATTEMPTS_TO_NOTE)
        return "notification_failed" in json.dumps(run.call("history", approval_id=approval_id))

    def given_up() -> bool:
        tried(MAX_ATTEMPTS)
        about = run.call("get", approval_id=approval_id)["messages"]
        return any(message["state"] == "failed" for message in about)

    eventually(noted, "note of what was not delivered")
    eventually(given_up, "mail that is given up")
    verify_senders(run.cloud.environment(), [run.app.stack])
    run.call("repair", approval_id=approval_id)


FLOWS: list[Callable[[Run], None]] = [
    by_link,
    replaced,
    signed_in,
    attached,
    machine,
    never_asked,
    left_behind,
    archived_later,
    undeliverable,
]
