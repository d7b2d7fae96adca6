"""Deploy the test functions into an emulator, and read what processes there are."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import aws_durable_execution_sdk_python
import boto3
import pytest
from botocore.config import Config

from hitl_approval_cli.local import LocalCloud

BUNDLE = Path(__file__).parent / "bundle"
SDK = Path(aws_durable_execution_sdk_python.__file__).parent
ROLE = "arn:aws:iam::000000000000:role/any"

needs_proc = pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="reads processes as Linux shows them"
)

T = TypeVar("T")
_numbers = count(1)


def any_name(kind: str = "any") -> str:
    """A name that no other test uses."""
    return f"{kind}-{os.getpid()}-{next(_numbers)}"


def eventually(condition: Callable[[], T], what: str, patience: float = 60.0) -> T:
    """Wait until the condition holds; returns its value."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail(f"within {patience:g} s there was no {what}")


@cache
def bundle(module: str, version: str) -> bytes:
    """One of the test functions, the durable one with its SDK, as a Lambda asset."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("version.txt", version)
        archive.write(BUNDLE / f"{module}.py", f"{module}.py")
        if module == "durable":
            for file in SDK.rglob("*.py"):
                archive.write(file, str(file.relative_to(SDK.parent)))
    return written.getvalue()


@dataclass(frozen=True)
class Emulator:
    """An emulator that runs, ours or the stock one."""

    endpoint_url: str
    pid: int
    key: str = "test"

    def client(self, service: str) -> Any:
        # Any: the tests call services that boto3-stubs is not installed for.
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, read_timeout=30, max_pool_connections=50),
        )

    def create_counters(self) -> None:
        """The table in which functions count their side effects."""
        self.client("dynamodb").create_table(
            TableName="counters",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def deploy(
        self, handler: str = "durable.handler", *, version: str = "one", **settings: Any
    ) -> Deployed:
        """Create a function with one version and the alias `live`."""
        if handler.startswith("durable."):
            settings.setdefault("DurableConfig", {"ExecutionTimeout": 600})
        name = any_name("function")
        lambda_ = self.client("lambda")
        lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=ROLE,
            Handler=handler,
            Timeout=20,
            Code={"ZipFile": bundle(handler.split(".", maxsplit=1)[0], version)},
            **settings,
        )
        published = lambda_.publish_version(FunctionName=name)["Version"]
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=published)
        return Deployed(self, name, lambda_)

    def children(self) -> set[int]:
        """Processes that the emulator started and that still run."""
        return {pid for pid in _processes() if _parent(pid) == self.pid}

    def listening(self) -> set[str]:
        """Addresses, in hexadecimal, at which the emulator's process accepts connections."""
        own = set()
        for descriptor in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                own.add(str(descriptor.readlink()))
            except OSError:
                continue
        lines = [
            line.split()
            for family in ("tcp", "tcp6")
            for line in Path(f"/proc/{self.pid}/net/{family}").read_text().splitlines()[1:]
        ]
        listen = "0A"
        return {
            line[1].split(":")[0]
            for line in lines
            if line[3] == listen and f"socket:[{line[9]}]" in own
        }


def emulator(cloud: LocalCloud) -> Emulator:
    """One of ours."""
    return Emulator(cloud.endpoint_url, cloud.pid, cloud.access_key)


@dataclass(frozen=True)
class Deployed:
    """A deployed function with its alias `live`."""

    emulator: Emulator
    name: str
    lambda_: Any

    def invoke(self, payload: Any, kind: str = "RequestResponse", **fields: Any) -> dict[str, Any]:
        fields.setdefault("Qualifier", "live")
        answer = self.lambda_.invoke(
            FunctionName=self.name,
            InvocationType=kind,
            Payload=json.dumps(payload).encode(),
            **fields,
        )
        body = answer["Payload"].read()
        return {**answer, "Payload": json.loads(body) if body else None}

    def start(self, payload: Any, **fields: Any) -> str:
        """Begin an execution; returns its ARN."""
        return str(self.invoke(payload, "Event", **fields)["DurableExecutionArn"])

    def get(self, arn: str) -> dict[str, Any]:
        return dict(self.lambda_.get_durable_execution(DurableExecutionArn=arn))

    def ended(self, arn: str) -> dict[str, Any]:
        """The execution once it has ended."""

        def check() -> dict[str, Any] | None:
            execution = self.get(arn)
            return None if execution["Status"] == "RUNNING" else execution

        execution = eventually(check, "end of the execution")
        assert execution is not None
        return execution

    def result(self, arn: str) -> Any:
        execution = self.ended(arn)
        assert execution["Status"] == "SUCCEEDED", execution
        return json.loads(execution["Result"])

    def events(self, arn: str) -> list[dict[str, Any]]:
        history = self.lambda_.get_durable_execution_history(DurableExecutionArn=arn)
        return list(history["Events"])

    def event_types(self, arn: str) -> list[str]:
        return [event["EventType"] for event in self.events(arn)]

    def callback_id(self, arn: str) -> str:
        """The callback that the execution waits for, once it has suspended."""

        def check() -> str | None:
            events = self.events(arn)
            if events[-1]["EventType"] != "InvocationCompleted":
                return None
            started = [e for e in events if e["EventType"] == "CallbackStarted"]
            return str(started[-1]["CallbackStartedDetails"]["CallbackId"]) if started else None

        callback_id = eventually(check, "suspended execution")
        assert callback_id is not None
        return callback_id

    def update(self, version: str) -> None:
        """Deploy other code, as a new version, and point the alias there."""
        self.lambda_.update_function_code(
            FunctionName=self.name, ZipFile=bundle("durable", version)
        )
        published = self.lambda_.publish_version(FunctionName=self.name)["Version"]
        self.lambda_.update_alias(FunctionName=self.name, Name="live", FunctionVersion=published)


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    return _stat(pid) not in (None, "Z")


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
