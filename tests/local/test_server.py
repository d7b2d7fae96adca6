"""The local cloud's process: what it listens on, what it hides, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from hitl_approval_cli.local import (
    LocalCloud,
    LocalCloudError,
    is_local_cloud,
    stop_local_cloud,
)
from tests.local.harness import Emulator, emulator, eventually, is_running, needs_proc


@needs_proc
def test_should_listen_on_the_loopback_interface_only(cloud: Emulator) -> None:
    assert cloud.listening() == {"0100007F"}  # 127.0.0.1


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


def test_should_not_take_a_users_files_for_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("asyncio", "boto3", "hitl_approval"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not mine')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with LocalCloud.start() as cloud:
        assert cloud.endpoint_url.startswith("http://127.0.0.1:")
