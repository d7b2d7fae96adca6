"""The real command over a deployment in memory: only AWS's two calls are replaced."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.api import handle
from hitl_approval.testing import World, in_memory
from hitl_approval_cli import main, screen
from hitl_approval_cli.deployment import Deployment

OUTPUTS = {
    "WorkflowFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:workflow:live",
    "ApprovalApiFunctionName": "approval-api",
}


class FakeCloud:
    """CloudFormation that knows one stack, and Lambda that runs the approval function here."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.started: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.outputs: dict[str, str] = dict(OUTPUTS)
        """CloudFormation's key -> value."""

    def client(self, _: object) -> FakeCloud:
        return self

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
            return {"DurableExecutionArn": f"arn/{more['DurableExecutionName']}"}
        answer = handle(event, lambda: self.world.decisions, trust_authorizer=False)
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


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
        monkeypatch.setattr(screen, "out", screen.console(width=200))
        monkeypatch.setattr(screen, "err", screen.console(stderr=True, width=200))
        status = main.run(words)
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return run
