"""`hitl local demo`: one approval from the deployment to its audit trail, on this machine."""

from __future__ import annotations

import json
import time
from typing import Any, Literal

import typer

from hitl_approval.contract import Output
from hitl_approval_cli import screen
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError

Choice = Literal["approve", "reject", "timeout"]

DOCUMENT = {
    "document_id": "doc-123",
    "document_name": "Q4 Budget Proposal",
    "requester": "user@example.com",
}
"""The public pattern's document."""
PATIENCE = 60.0
"""Seconds to wait for a message or a result before saying that something is wrong."""
TIMEOUT_SECONDS = {"approve": 300, "reject": 300, "timeout": 5, None: 60}
"""Time to decide: short where it is to pass, a minute for a person at the terminal."""


def play(deployment: Deployment, choice: Choice | None) -> None:
    """Submit, notify, decide, resume, show; `choice` decides where nobody is asked."""
    mailbox = _Mailbox(deployment)
    seconds = TIMEOUT_SECONDS[choice]
    _title("1. A workflow asks")
    screen.out.print(json.dumps(DOCUMENT | {"timeout_seconds": seconds}), style="dim")
    started = deployment.submit(DOCUMENT | {"timeout_seconds": seconds})
    approval_id = started["approval_id"]
    screen.out.print(f"The workflow has asked and is suspended. Approval [bold]{approval_id}[/]")

    _title("2. The approver is told")
    message = mailbox.next_message()
    screen.out.print(f"[dim]Subject:[/] {screen.safe(message['Subject'])}\n")
    screen.out.print(screen.safe(message["Message"]))

    _title("3. A person decides")
    chosen = choice or _prompt()
    if chosen == "timeout":
        with screen.out.status(f"Nobody answers for {seconds} seconds ..."):
            result = _result(deployment, started["execution_arn"], seconds + PATIENCE)
        screen.out.print(f"Nobody answered within {seconds} seconds.")
    else:
        answer = deployment.ask(
            {
                "action": "decide",
                "approval_id": approval_id,
                "decision": {"approve": "approved", "reject": "rejected"}[chosen],
                "approver": "test-approver",
                "comments": {"approve": "Looks good, approved", "reject": "Needs revision"}[chosen],
            }
        )
        screen.out.print(
            f"test-approver: {screen.status(answer['status'])}. Workflow {answer['workflow']}."
        )
        result = _result(deployment, started["execution_arn"], PATIENCE)

    _title("4. The workflow resumes and ends")
    screen.out.print_json(json.dumps(result))

    _title("5. The audit trail")
    screen.history(deployment.ask({"action": "history", "approval_id": approval_id}))


def _title(text: str) -> None:
    screen.out.print(f"\n[bold cyan]{text}[/]")


def _prompt() -> Choice:
    choices: dict[str, Choice] = {"a": "approve", "r": "reject", "t": "timeout"}
    while True:
        typed: str = typer.prompt("[a]pprove, [r]eject or let it [t]ime out?", default="a")
        for letter, choice in choices.items():
            if typed.strip().lower() in {letter, choice}:
                return choice
        screen.err.print("Please type a, r or t.")


def _result(deployment: Deployment, execution_arn: str, patience: float) -> dict[str, Any]:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        execution = deployment.outcome(execution_arn)
        if execution["Status"] != "RUNNING":
            if execution["Status"] != "SUCCEEDED":
                raise CliError(f"the workflow has {execution['Status'].lower()}", code="WORKFLOW")
            answer: dict[str, Any] = json.loads(execution["Result"])
            return {**answer, "body": json.loads(answer["body"])}
        time.sleep(0.1)
    msg = f"the workflow did not end within {patience:.0f} seconds"
    raise CliError(msg, code="WORKFLOW")


class _Mailbox:
    """A queue subscribed to the topic: what an approver's mailbox would receive."""

    def __init__(self, deployment: Deployment) -> None:
        self.sqs = deployment.client("sqs")
        self.url = self.sqs.create_queue(QueueName="hitl-demo-mailbox")["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        deployment.client("sns").subscribe(
            TopicArn=deployment.output(Output.SNS_TOPIC_ARN),
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
        )

    def next_message(self) -> dict[str, Any]:
        """The next message, as SNS wraps it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                body: dict[str, Any] = json.loads(message["Body"])
                return body
        msg = f"no notification came within {PATIENCE:.0f} seconds"
        raise CliError(msg, code="NOTIFICATION")
