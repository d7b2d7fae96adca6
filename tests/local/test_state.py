"""What the local cloud keeps over its end, a SIGKILL included."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from hitl_approval_cli.local import (
    LocalCloud,
)
from tests.local.harness import emulator, eventually


def test_should_keep_tables_stacks_and_executions(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    with LocalCloud.start(state_dir=state_dir) as cloud:
        emulator(cloud).create_counters()
        emulator(cloud).client("s3").create_bucket(Bucket="kept")
        function = emulator(cloud).deploy()
        asking = function.start({"do": "ask", "counter": "kept"})
        callback_id = function.callback_id(asking)
        late = function.start({"do": "ask", "timeout": 1})
        napping = function.start({"do": "wait", "seconds": 1})
        working = function.start({"do": "interrupted", "counter": "kept-too"})
        eventually(lambda: _row(cloud, "kept-too"), "first attempt")
        function.update("two")
        ended = function.invoke({"do": "echo"})["DurableExecutionArn"]

    began = time.monotonic()
    with LocalCloud.start(state_dir=state_dir) as cloud:
        function = type(function)(emulator(cloud), function.name, emulator(cloud).client("lambda"))
        assert function.get(ended)["Status"] == "SUCCEEDED"
        assert function.get(asking)["Status"] == "RUNNING"
        assert function.result(working) == 2
        assert function.result(napping) == {"waited": True}
        assert function.ended(late)["Status"] == "FAILED"
        function.lambda_.send_durable_execution_callback_success(
            CallbackId=callback_id, Result=b"yes"
        )
        assert function.result(asking) == {"answer": "yes", "version": "one", "before": 1}
        buckets = emulator(cloud).client("s3").list_buckets()["Buckets"]
        assert [bucket["Name"] for bucket in buckets] == ["kept"]
    assert time.monotonic() - began < 20


def test_should_lose_nothing_that_a_workflow_knows_by_a_sigkill(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    with LocalCloud.start(state_dir=state_dir) as cloud:
        emulator(cloud).create_counters()
        function = emulator(cloud).deploy()
        asking = [function.start({"do": "ask", "counter": f"kept-{n}"}) for n in range(2)]
        callbacks = [function.callback_id(arn) for arn in asking]
        before = cloud.endpoint_url, cloud.access_key
        os.kill(cloud.pid, signal.SIGKILL)

    with LocalCloud.start(state_dir=state_dir) as cloud:
        assert not cloud.lost
        assert (cloud.endpoint_url, cloud.access_key) == before  # links and exports go on working
        for n, callback_id in enumerate(callbacks):
            assert _row(cloud, f"kept-{n}")
            function.lambda_.send_durable_execution_callback_success(
                CallbackId=callback_id, Result=b"yes"
            )
        for arn in asking:
            assert function.result(arn) == {"answer": "yes", "version": "one", "before": 1}


def test_should_start_anew_and_say_so_after_half_a_deployment(tmp_path: Path) -> None:
    never = {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "half"}},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": "Bucket",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "600"},
        },
    }
    state_dir = tmp_path / "state"

    def made(cloud: LocalCloud) -> bool:
        return bool(emulator(cloud).client("s3").list_buckets()["Buckets"])

    with LocalCloud.start(state_dir=state_dir) as cloud:
        cloudformation = emulator(cloud).client("cloudformation")
        cloudformation.create_stack(StackName="half", TemplateBody=json.dumps({"Resources": never}))
        eventually(lambda: made(cloud), "bucket")
        os.kill(cloud.pid, signal.SIGKILL)

    for lost in (True, False):
        with LocalCloud.start(state_dir=state_dir) as cloud:
            assert cloud.lost is lost
            assert not made(cloud)
            assert emulator(cloud).client("cloudformation").describe_stacks()["Stacks"] == []


def _row(cloud: LocalCloud, counter: str) -> bool:
    key = {"id": {"S": counter}}
    return "Item" in emulator(cloud).client("dynamodb").get_item(TableName="counters", Key=key)
