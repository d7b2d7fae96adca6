"""The benchmark's reading of CPU time, of processes that this test starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from bench import processor
from tests.local.harness import needs_proc

Worker = Callable[..., subprocess.Popen[str]]

BUSY = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"


@pytest.fixture
def worker() -> Iterator[Worker]:
    started: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        process.stdout.readline()  # it has used its time
        return process

    yield start
    for process in started:
        process.communicate("\n")


@needs_proc
def test_should_keep_functions_apart_by_name(worker: Worker) -> None:
    worker(AWS_LAMBDA_FUNCTION_NAME="publisher")
    worker(AWS_LAMBDA_FUNCTION_NAME="publisher")
    worker(AWS_LAMBDA_FUNCTION_NAME="messenger")
    spent = processor.seconds(os.getpid())
    assert spent["publisher"] >= 0.3
    assert spent["messenger"] >= 0.15


@needs_proc
def test_should_not_count_what_another_process_started(worker: Worker) -> None:
    cloud = worker()
    worker(AWS_LAMBDA_FUNCTION_NAME="publisher")
    spent = processor.seconds(cloud.pid)
    assert "publisher" not in spent
    assert spent[processor.ITSELF] >= 0.15
    assert spent[processor.ASKING] > 0


@needs_proc
def test_should_count_processes_that_have_ended() -> None:
    before = processor.seconds(os.getpid()).get(processor.ENDED, 0)
    subprocess.run([sys.executable, "-c", BUSY], input="\n", text=True, check=True)
    assert processor.seconds(os.getpid())[processor.ENDED] - before >= 0.15
