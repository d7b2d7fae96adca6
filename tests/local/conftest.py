"""One local cloud for all tests, and one stock ministack beside it to show each gap."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hitl_approval_cli.local import LocalCloud
from tests.local.harness import Deployed, Emulator, emulator, eventually


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    log = tmp_path_factory.mktemp("cloud") / "cloud.log"
    with pytest.MonkeyPatch.context() as caller:
        caller.setenv("SECRET_OF_THE_CALLER", "token")
        cloud = LocalCloud.start(log_file=log)
    with cloud:
        yield cloud


@pytest.fixture(scope="session")
def cloud(running: LocalCloud) -> Emulator:
    """Ours."""
    return emulator(running)


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Ministack as it is installed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("stock")
    environment = {
        **os.environ,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log
        )
    try:
        eventually(lambda: _answers(port), "stock ministack")
        yield Emulator(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(15)


@pytest.fixture(scope="session")
def counters(cloud: Emulator) -> str:
    """The table in which functions count their side effects."""
    cloud.create_counters()
    return "counters"


@pytest.fixture(scope="session")
def durable(cloud: Emulator, counters: str) -> Deployed:
    """The durable function, deployed once."""
    return cloud.deploy()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
