"""The local cloud starts, ends and keeps its state as it is asked to, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import boto3
import pytest

from hitl_approval_cli.local import (
    LocalCloud,
    LocalCloudError,
    is_local_cloud,
    stop_local_cloud,
)
from tests.local.harness import Emulator, eventually, is_running, needs_proc


def emulator(cloud: LocalCloud) -> Emulator:
    return Emulator(cloud.endpoint_url, cloud.pid, cloud.access_key)


@needs_proc
def test_should_listen_on_the_loopback_interface_only(cloud: Emulator) -> None:
    assert cloud.listening() == {"0100007F"}  # 127.0.0.1


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_should_point_clients_here_whatever_profile_the_caller_uses(
    running: LocalCloud, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "company")
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    sts = boto3.session.Session().client("sts")
    assert sts.meta.endpoint_url == running.endpoint_url
    assert sts.get_caller_identity()["Account"] == "000000000000"
    assert not any(name.startswith("CDK_") for name in running.environment())


def test_should_hide_the_callers_environment_from_functions(cloud: Emulator) -> None:
    seen = cloud.deploy("plain.handler").invoke({})["Payload"]["environment"]
    assert "SECRET_OF_THE_CALLER" not in seen
    assert seen["AWS_ENDPOINT_URL"] == cloud.endpoint_url
    assert seen["AWS_REGION"] == "us-east-1"
    assert seen["TZ"] == "UTC"


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_should_end_with_all_workers_and_files(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    log = tmp_path / "log"
    monkeypatch.setenv("TMPDIR", str(temporary))
    cloud = LocalCloud.start(log_file=log, detached=True)
    assert is_local_cloud(cloud.pid)
    function = emulator(cloud).deploy("plain.handler")
    function.invoke({"sleep": 30}, "Event")
    workers = eventually(emulator(cloud).children, "worker")
    if number is signal.SIGTERM:
        stop_local_cloud(cloud.pid)
        assert not is_local_cloud(cloud.pid)
    os.kill(cloud.pid, number)  # a zombie until it is collected below
    eventually(lambda: not is_running(cloud.pid), "end of the cloud")
    assert not any(is_running(worker) for worker in workers)
    cloud.stop()
    cloud.stop()
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in log.read_text()


def test_should_know_a_local_cloud_from_another_process() -> None:
    assert not is_local_cloud(os.getpid())
    stop_local_cloud(os.getpid())


@needs_proc
def test_should_end_when_its_parent_is_killed() -> None:
    code = (
        "import time\n"
        "from hitl_approval_cli.local import LocalCloud\n"
        "print(LocalCloud.start().pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_local_cloud(pid)
        parent.kill()
    eventually(lambda: not is_running(pid), "end of the cloud")


def test_should_say_in_one_line_that_the_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalCloudError) as error:
            LocalCloud.start(port=port)
    assert str(error.value) == f"port {port} on 127.0.0.1 cannot be used: Address already in use"


def test_should_give_up_when_it_does_not_start_in_time() -> None:
    with pytest.raises(LocalCloudError, match=r"was not ready after 0\.01 s"):
        LocalCloud.start(startup_timeout=0.01)


def test_should_keep_tables_stacks_and_executions(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    with LocalCloud.start(state_dir=state_dir) as cloud:
        emulator(cloud).client("dynamodb").create_table(
            TableName="counters",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
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
        emulator(cloud).client("dynamodb").create_table(
            TableName="counters",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
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


def _is_whole(state_dir: Path) -> bool:
    with closing(sqlite3.connect(state_dir / "services.db")) as database:
        return bool(database.execute("SELECT yes FROM whole").fetchone()[0])


def _row(cloud: LocalCloud, counter: str) -> bool:
    key = {"id": {"S": counter}}
    return "Item" in emulator(cloud).client("dynamodb").get_item(TableName="counters", Key=key)


def test_should_not_take_a_users_files_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("asyncio", "boto3", "hitl_approval"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not mine')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with LocalCloud.start() as cloud:
        assert cloud.endpoint_url.startswith("http://127.0.0.1:")
