"""The real command over a deployment in memory: only AWS's two calls are replaced."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.contract import LIBRARY_VERSION
from hitl_approval.domain.approval import derive_approval_id
from hitl_approval.domain.start import parse_document
from hitl_approval.http.envelope import handle
from hitl_approval.testing import World, in_memory
from hitl_approval_cli import main, output
from hitl_approval_cli.deployment import Deployment
from tests.anything import any_opening
from tests.contract.test_store import create_tables

OUTPUTS = {
    "WorkflowFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:workflow:live",
    "ApprovalApiFunctionName": "approval-api",
    "ApprovalsTableName": "approvals",
    "AuditTableName": "audit",
    "HitlApprovalVersion": LIBRARY_VERSION,
}


class FakeCloud:
    """CloudFormation that knows one stack, and Lambda that runs the approval function here."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.decisions = world.decisions
        self.started: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.executions: list[str] = []
        self.execution: dict[str, Any] = {"Status": "RUNNING"}
        self.unknown = 0
        """How often GetDurableExecution does not know an execution yet."""
        self.asks = True
        """Whether the workflow writes its request as soon as it starts."""
        self.error: Exception | None = None
        self.failures: list[Exception] = []
        self.clients: dict[str, Any] = {}
        self.outputs: dict[str, str] = dict(OUTPUTS)
        """CloudFormation's key -> value."""

    def client(self, service: str) -> Any:
        return self.clients.get(service, self)

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        if self.error:
            raise self.error
        if StackName != "hitl-approval":
            message = f"Stack with id {StackName} does not exist"
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks"
            )
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]
        return {"Stacks": [{"StackName": StackName, "Outputs": outputs}]}

    def invoke(self, FunctionName: str, Payload: bytes, **more: Any) -> dict[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        if FunctionName == OUTPUTS["WorkflowFunctionArn"]:
            assert more["InvocationType"] == "Event"
            self.started.append(event)
            arn = f"arn/{more['DurableExecutionName']}"
            self.executions.append(arn)
            if self.asks:
                self.ask()
            return {"DurableExecutionArn": arn}
        if self.failures:
            raise self.failures.pop()
        self.asked.append(event)
        answer = handle(event, lambda: self.decisions, trust_authorizer=False)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}

    def ask(self) -> None:
        """The workflow that was started last writes its request."""
        opening = any_opening(
            approval_id=derive_approval_id(self.executions[-1], "document"),
            request=parse_document(self.started[-1]),
            now=self.decisions.clock.now(),
        )
        self.decisions.store.create(opening)

    def get_durable_execution(self, DurableExecutionArn: str) -> dict[str, Any]:  # noqa: N803
        assert DurableExecutionArn in self.executions
        if self.unknown:
            self.unknown -= 1
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException"}}, "GetDurableExecution"
            )
        return self.execution


@dataclass
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        (line,) = self.out.splitlines()
        return json.loads(line)


@pytest.fixture
def world() -> World:
    return in_memory()


@pytest.fixture
def cloud(world: World, monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    fake = FakeCloud(world)
    monkeypatch.setattr(Deployment, "client", lambda _, service: fake.client(service))
    return fake


@pytest.fixture
def tables(cloud: FakeCloud) -> Iterator[DynamoDbStore]:
    """The deployment's store on DynamoDB (moto), which the approval function uses too."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        store = DynamoDbStore(client=client, approvals_table="approvals", audit_table="audit")
        cloud.clients["dynamodb"] = client
        cloud.decisions = replace(cloud.decisions, store=store)
        yield store


Hitl = Callable[..., Result]


@pytest.fixture
def hitl(
    cloud: FakeCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Hitl:
    """Run `hitl` with these words; `stdin` is what is typed or piped in."""
    monkeypatch.setenv("HITL_USER", "bob")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str, stdin: str = "", terminal: bool = False) -> Result:
        # A lone surrogate in `stdin` comes in as a byte that is not UTF-8.
        reader = io.TextIOWrapper(io.BytesIO(stdin.encode(errors="surrogateescape")), "utf-8")
        monkeypatch.setattr(reader, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr("sys.stdin", reader)
        monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
        monkeypatch.setattr(output, "out", output.console(width=200))
        monkeypatch.setattr(output, "err", output.console(stderr=True, width=200))
        status = main.run(words)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return run
