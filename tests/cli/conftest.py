"""The real command over a deployment in memory: only AWS's two calls are replaced."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.testing import World, in_memory
from hitl_approval_cli import main, output
from hitl_approval_cli.deployment import Deployment
from tests.contract.test_store import create_tables

from .fake_cloud import FakeCloud


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
