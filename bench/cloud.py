"""On the local cloud: how soon a decision resumes its workflow, and a thousand at once.

The deployed stack, the bare engine and the pattern's loop run in the same cloud, one after another.
Resumed is the moment at which the last step of the workflow ends: its code then holds the decision.
Both moments are the record's: `decided_at`, and the history that the durable engine keeps.
"""

from __future__ import annotations

import io
import json
import os
import random
import statistics
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import aws_durable_execution_sdk_python
import boto3
from botocore.config import Config

from bench import baselines, processor
from bench.figures import Chart, Figure, Group, Table, number
from hitl_approval_cli import cdk
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.local import LocalCloud

ROOT = Path(__file__).parents[1]
POLLING_AT_ONCE = 4
"""The pattern's loops wait at once, seconds each; the others are decided one after another."""
DECIDERS = 16
PATIENCE = 600.0
SDK = Path(aws_durable_execution_sdk_python.__file__).parent


def measure(quick: bool) -> Group:
    """Start a cloud, deploy, decide."""
    decisions, open_at_once = (20, 50) if quick else (100, 1_000)
    with deployed() as (deployment, cloud):
        found = {
            "callback": _resumed(_ours, deployment, decisions),
            "bare": _resumed(_bare, deployment, decisions),
            "pattern": _resumed(_pattern, deployment, decisions, at_once=POLLING_AT_ONCE),
        }
        crowd, spent = _crowd(deployment, cloud, open_at_once)
    read = {name: sorted(one.read for one in each) for name, each in found.items()}
    p50 = {name: statistics.median(times) for name, times in read.items()}
    p95 = {name: times[int(0.95 * (decisions - 1))] for name, times in read.items()}
    completed = {
        name: statistics.median(one.completed for one in found[name])
        for name in ("callback", "bare")
    }
    return Group(
        title="On the local cloud",
        figures=[
            *(
                Figure(
                    name=f"decision read by the workflow, {which}",
                    measured=round(1000 * of["callback"], 1),
                    unit="ms",
                    baseline=round(1000 * of["bare"], 1),
                    against="bare engine",
                    limit=1.5,
                    goal="ratio at most",
                    note="each of our promises is a call that the bare engine has not: the commit "
                    "before the callback is completed; then the read of the record, of the trail "
                    "that must agree with it, and the note that it was read",
                )
                for which, of in (("p50", p50), ("p95", p95))
            ),
            Figure(
                name="decision read, p50, against polling",
                measured=round(1000 * p50["callback"], 1),
                unit="ms",
                baseline=round(1000 * p50["pattern"], 1),
                against="the pattern's loop",
                limit=30,
                goal="times faster",
                note="a loop of 5 s reads it after 2.5 s in the middle",
            ),
            Figure(
                name=f"{open_at_once:,} open at once: not resolved exactly once",
                measured=crowd["wrong"],
                limit=0,
            ),
            Figure(
                name=f"decisions per second, {DECIDERS} deciders",
                measured=round(crowd["decisions_per_second"], 1),
                baseline=round(crowd["writes_per_second"], 1),
                against="raw conditional writes",
            ),
        ],
        tables=[
            Table(
                title=f"Milliseconds until resumed, {decisions} decisions each",
                head=("", "callback completed, p50", "resumed, p50", "resumed, p95"),
                rows=[
                    (
                        name,
                        number(round(1000 * completed[name])) if name in completed else "",
                        number(round(1000 * p50[name])),
                        number(round(1000 * p95[name])),
                    )
                    for name in found
                ],
            ),
            Table(
                title="CPU milliseconds of a decision and what follows, by who used them",
                head=("", "ms"),
                rows=[
                    *((name, number(round(1000 * used, 1))) for name, used in spent),
                    ("all of it", number(round(1000 * sum(used for _, used in spent), 1))),
                ],
            ),
        ],
        charts=[
            Chart(
                file="resumed.svg",
                title="From the decision until the workflow has resumed",
                unit="ms",
                labels=["p50", "p95"],
                series={name: [round(1000 * p50[name]), round(1000 * p95[name])] for name in found},
            )
        ],
    )


@contextmanager
def deployed() -> Iterator[tuple[Deployment, int]]:
    """The deployed stack in a cloud of its own, and the process id of that."""
    before = dict(os.environ)
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud.start(log_file=Path(folder) / "cloud.log") as cloud,
    ):
        os.environ.update(cloud.environment())
        try:
            environment, out = cloud.environment(), Path(folder) / "cdk.out"
            cdk.finish("cdk bootstrap", cdk.start_bootstrap(ROOT, environment))
            values = {"stack_name": "bench", "removal_policy": "destroy"}
            values["approval_timeout_seconds"] = "86400"
            cdk.finish("cdk synth", cdk.start_synth(ROOT, environment, values, out))
            cdk.finish("cdk deploy", cdk.start_deploy(ROOT, environment, out))
            deployment = Deployment("bench", cloud.region, None, cloud.endpoint_url)
            _deploy_baselines(deployment)
            yield deployment, cloud.pid
        finally:
            os.environ.clear()
            os.environ.update(before)


def _deploy_baselines(deployment: Deployment) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.write(baselines.__file__, "baselines.py")
        for file in SDK.rglob("*.py"):
            archive.write(file, str(file.relative_to(SDK.parent)))
    client = deployment.client("lambda")
    for name in ("bare", "pattern"):
        client.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role="arn:aws:iam::000000000000:role/any",
            Handler=f"baselines.{name}",
            Timeout=30,
            Code={"ZipFile": written.getvalue()},
            DurableConfig={"ExecutionTimeout": 3600},
        )
        client.publish_version(FunctionName=name)
    deployment.client("dynamodb").create_table(
        TableName=baselines.TABLE,
        KeySchema=[{"AttributeName": "approval_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "approval_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


class Resumed(NamedTuple):
    """One decision.

    Attributes:
        completed: seconds from the decision until its callback was completed; where a loop reads
            the decision, 0.
        read: seconds until the workflow has resumed.
    """

    completed: float
    read: float


One = Callable[[Deployment], Resumed]


def _resumed(one: One, deployment: Deployment, times: int, at_once: int = 1) -> Sequence[Resumed]:
    """How soon the workflow of each decision has resumed."""
    one(deployment)  # warm: the first one starts the functions' processes
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda _: one(deployment), range(times)))


def _ours(deployment: Deployment) -> Resumed:
    started = _submit(deployment)
    until(lambda: _suspended(deployment, started["execution_arn"]))
    answer = _approve(deployment, started["approval_id"])
    return _since(_moment(answer["decided_at"]), deployment, started["execution_arn"])


def _bare(deployment: Deployment) -> Resumed:
    arn = _start(deployment, "bare", {})
    callback = until(lambda: _suspended(deployment, arn))
    decided = time.time()
    deployment.client("lambda").send_durable_execution_callback_success(CallbackId=callback)
    return _since(decided, deployment, arn)


def _pattern(deployment: Deployment) -> Resumed:
    """Decided at any moment of its 5 seconds."""
    row = uuid.uuid4().hex
    arn = _start(deployment, "pattern", {"id": row})
    until(lambda: any(e["EventType"] == "WaitStarted" for e in history(deployment, arn)))
    time.sleep(random.uniform(0, 5))
    decided = time.time()
    deployment.client("dynamodb").update_item(
        TableName=baselines.TABLE,
        Key={"approval_id": {"S": row}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": "approved"}},
    )
    return _since(decided, deployment, arn)


def _crowd(
    deployment: Deployment, cloud: int, count: int
) -> tuple[dict[str, float], list[tuple[str, float]]]:
    """Open many, decide them in random order, and see how each ended.

    Returns:
        What was counted, and the CPU seconds of one decision by who used them, most first.
    """
    with ThreadPoolExecutor(DECIDERS) as pool:
        started = list(pool.map(lambda _: _submit(deployment), range(count)))
        until(lambda: _pending(deployment) >= count)
        ids = [one["approval_id"] for one in started]
        random.shuffle(ids)
        began, before = time.monotonic(), processor.seconds(cloud)
        answers = list(pool.map(lambda one: _approve(deployment, one), ids))
        deciding = time.monotonic() - began
        ended = list(pool.map(lambda one: outcome(deployment, one["execution_arn"]), started))
        after = processor.seconds(cloud)
        trails = list(
            pool.map(
                lambda one: deployment.call({"action": "history", "approval_id": one})["events"],
                ids,
            )
        )
        writing = _raw_writes(pool, deployment, count)
    right = sum(
        not answer["already"] and [event["event"] for event in trail] == ["requested", "approved"]
        for answer, trail in zip(answers, trails, strict=True)
    )
    wrong = count - min(right, ended.count("SUCCEEDED"))
    called = {
        each["FunctionName"]: each["Handler"].partition(".")[0]
        for each in deployment.client("lambda").list_functions()["Functions"]
    }
    spent = {
        called.get(name, name): (used - before.get(name, 0)) / count
        for name, used in after.items()
        if used > before.get(name, 0)
    }
    counted = {
        "wrong": wrong,
        "decisions_per_second": count / deciding,
        "writes_per_second": count / writing,
    }
    return counted, sorted(spent.items(), key=lambda one: -one[1])


def _raw_writes(pool: ThreadPoolExecutor, deployment: Deployment, count: int) -> float:
    """Seconds for as many conditional updates by as many writers on the same emulator."""
    table = _many(deployment, "dynamodb")
    keys = [{"approval_id": {"S": f"raw-{number}"}} for number in range(count)]
    for key in keys:
        table.put_item(TableName=baselines.TABLE, Item={**key, "status": {"S": "pending"}})

    def write(key: Any) -> None:
        table.update_item(
            TableName=baselines.TABLE,
            Key=key,
            UpdateExpression="SET #status = :approved",
            ConditionExpression="#status = :pending",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":approved": {"S": "approved"},
                ":pending": {"S": "pending"},
            },
        )

    began = time.monotonic()
    list(pool.map(write, keys))
    return time.monotonic() - began


def _submit(deployment: Deployment) -> dict[str, Any]:
    return deployment.submit(
        {"document_id": "bench", "document_name": "Bench", "requester": "bench"}
    )


def _approve(deployment: Deployment, approval_id: str) -> dict[str, Any]:
    vote = {"approval_id": approval_id, "decision": "approved", "approver": "bob"}
    return deployment.call({"action": "decide", **vote})


def _pending(deployment: Deployment) -> int:
    """How many approvals await a decision."""
    answer = deployment.client("dynamodb").query(
        TableName="bench-ApprovalRequests",
        IndexName="StatusIndex",
        KeyConditionExpression="#status = :pending",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":pending": {"S": "pending"}},
        Select="COUNT",
    )
    return int(answer["Count"])


def _start(deployment: Deployment, function: str, event: Any) -> str:
    answer = deployment.client("lambda").invoke(
        FunctionName=function,
        Qualifier="1",
        InvocationType="Event",
        Payload=json.dumps(event).encode(),
    )
    return str(answer["DurableExecutionArn"])


def history(deployment: Deployment, arn: str) -> list[Any]:
    """What the durable engine has kept of an execution."""
    answer = deployment.client("lambda").get_durable_execution_history(
        DurableExecutionArn=arn, MaxItems=1000
    )
    return list(answer["Events"])


def _suspended(deployment: Deployment, arn: str) -> str | None:
    """The callback that it waits for, once its invocation has ended."""
    events = history(deployment, arn)
    if not any(event["EventType"] == "InvocationCompleted" for event in events):
        return None
    callbacks = [e for e in events if e["EventType"] == "CallbackStarted"]
    return str(callbacks[-1]["CallbackStartedDetails"]["CallbackId"]) if callbacks else None


def outcome(deployment: Deployment, arn: str) -> str:
    """The status with which an execution has ended, once it has."""

    def status() -> str | None:
        found = str(deployment.outcome(arn)["Status"])
        return None if found == "RUNNING" else found

    return str(until(status))


def _since(decided: float, deployment: Deployment, arn: str) -> Resumed:
    """What its history says, once an execution has ended: its last step, its last callback."""
    if outcome(deployment, arn) != "SUCCEEDED":
        raise RuntimeError(f"{arn} did not succeed")
    last = {e["EventType"]: e["EventTimestamp"].timestamp() for e in history(deployment, arn)}
    return Resumed(
        last.get("CallbackSucceeded", decided) - decided, last["StepSucceeded"] - decided
    )


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def _many(deployment: Deployment, service: str) -> Any:
    """A client for many threads, of the credentials that the environment has now."""
    make: Any = boto3.Session().client
    config = Config(max_pool_connections=DECIDERS)
    return make(service, endpoint_url=deployment.endpoint_url, config=config)


def until(condition: Callable[[], Any]) -> Any:
    """What a condition gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise TimeoutError(f"nothing happened within {PATIENCE:.0f} s")
