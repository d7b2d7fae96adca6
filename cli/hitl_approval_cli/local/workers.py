"""The processes that functions run in: how many, from which files, with which libraries.

Gaps of ministack 1.5.33, as in `gaps.py`: each says what upstream does and what AWS does.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import zipfile
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

MAX_WARM = 16
"""Processes that are kept for the next invocation, of all functions together."""
LOG_TIMEOUT = 0.25
"""Seconds after which a process without an end of its log is taken for dead."""
RUNTIME_LIBRARIES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's managed Python runtimes bring along."""


def bound_warm_processes() -> None:
    """Keep at most `MAX_WARM` processes, ending those that were not used for the longest time.

    Of each function one is kept for as long as others have more.

    Upstream keeps one process for each version of each function for ever, and those of a burst for
    minutes. AWS does not use the memory of this machine.
    """
    stock = lambda_svc.acquire_worker

    def acquire_worker(*arguments: Any, **options: Any) -> Any:
        leased = stock(*arguments, **options)
        _end_idle(lambda_runtime._workers)
        return leased

    lambda_svc.acquire_worker = acquire_worker


def _end_idle(pools: dict[str, list[Any]]) -> None:
    with lambda_runtime._lock:
        ended = to_end(pools)
        for worker, pool in ended:
            pool.remove(worker)
    lambda_runtime.kill_workers([worker for worker, _ in ended])


def to_end(pools: dict[str, list[Any]]) -> list[tuple[Any, list[Any]]]:
    """Choose the processes above `MAX_WARM` that go, each with the pool of its function."""
    newest = {id(max(pool, key=_last_used)) for pool in pools.values() if pool}
    workers = [(worker, pool) for pool in pools.values() for worker in pool]
    # A function's last process goes last: else a crowd around one function would be a cold
    # start for all others.
    idle = sorted(
        (each for each in workers if not each[0].in_use),
        key=lambda each: (id(each[0]) in newest, _last_used(each[0])),
    )
    return idle[: max(0, len(workers) - MAX_WARM)]


def _last_used(worker: Any) -> float:
    return float(worker.last_used)


def let_processes_fail_alone() -> None:
    """End the process that did not start, and no other.

    Upstream then ends all processes of the function, those that start and those at work for others
    included. Under load the ones that start fail in turn, and so on for ever. In AWS an environment
    fails alone.
    """
    stock = lambda_runtime.Worker.invoke

    def invoke(worker: Any, *arguments: Any, **options: Any) -> dict[str, Any]:
        try:
            return dict(stock(worker, *arguments, **options))
        except Exception as error:  # noqa: BLE001  whatever it was, it is this process's alone
            lambda_runtime.kill_workers([worker])
            return {"status": "error", "error": str(error), "log": ""}

    lambda_runtime.Worker.invoke = invoke


def answer_without_waiting_for_logs() -> None:
    """Know by a mark in the log that an invocation has written its last line.

    Upstream waits 50 ms after each invocation that logs nothing, since more could come. AWS answers
    at once.
    """
    stock = lambda_runtime.Worker._drain_stderr_bounded

    def drain(worker: Any) -> str:
        if not worker.config.get("Runtime", "").startswith("python"):
            return str(stock(worker))
        lines: list[str] = []
        try:
            while (line := worker._stderr_queue.get(timeout=LOG_TIMEOUT)) != _LOG_MARK:
                lines.append(line)
        except queue.Empty:
            pass  # the process has died before its mark
        return "\n".join(lines)

    lambda_runtime.Worker._drain_stderr_bounded = drain
    lambda_runtime._PYTHON_WORKER_SCRIPT = (
        _MARK_LOG.format(mark=_LOG_MARK) + lambda_runtime._PYTHON_WORKER_SCRIPT
    )


_LOG_MARK = "--- end of the invocation's log ---"
# The script answers through what was stdout when it began, and sends all else to stderr.
_MARK_LOG = """
import sys
class _Answers:
    def __init__(self, stdout):
        self.stdout, self.flush = stdout, stdout.flush
    def write(self, answer):
        if not answer.startswith('{{"status": "ready"'):
            sys.stderr.write({mark!r} + "\\n")
            sys.stderr.flush()
        self.stdout.write(answer)
sys.stdout = _Answers(sys.stdout)
"""


def hide_own_packages(folder: Path) -> None:
    """Let functions import their bundle and what Lambda's runtime brings, nothing else.

    Upstream runs them in the server's own interpreter with all that is installed there, so that a
    dependency missing from a bundle is found all the same. In AWS it is an import error.
    """
    folder.mkdir(parents=True)
    for library in RUNTIME_LIBRARIES:
        spec = find_spec(library)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            origin = origin.parent if spec.submodule_search_locations else origin
            (folder / origin.name).symlink_to(origin)
    lambda_runtime._PYTHON_WORKER_SCRIPT = (
        _SEARCH_PATH.format(libraries=str(folder)) + lambda_runtime._PYTHON_WORKER_SCRIPT
    )


_SEARCH_PATH = """
import sys, sysconfig
_library = sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")
sys.path[1:] = [e for e in sys.path if e.startswith(_library) and "-packages" not in e]
sys.path.append({libraries!r})
"""


def share_unpacked_code(folder: Path) -> None:
    """Unpack each Python bundle once, in this folder, and link every process's files to it.

    Upstream unpacks it for each process anew, and each process then compiles all that it imports:
    three quarters of the CPU time until its first answer. AWS does not use this machine's time.
    """
    folder.mkdir(parents=True)
    stock, spawning = lambda_runtime.Worker._spawn, threading.local()

    def spawn(worker: Any) -> None:
        spawning.python = worker.config.get("Runtime", "").startswith("python")
        stock(worker)

    class Archive(zipfile.ZipFile):
        def extractall(self, path: Any = None, *arguments: Any, **options: Any) -> None:
            if not spawning.python:
                super().extractall(path, *arguments, **options)
                return
            for entry in _unpacked(self, folder).iterdir():
                (Path(path) / entry.name).symlink_to(entry)

    lambda_runtime.Worker._spawn = spawn
    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=Archive, BadZipFile=zipfile.BadZipFile, LargeZipFile=zipfile.LargeZipFile
    )
    lambda_runtime._PYTHON_WORKER_SCRIPT = (
        "import sys\nsys.dont_write_bytecode = False\n" + lambda_runtime._PYTHON_WORKER_SCRIPT
    )


_unpacking = threading.Lock()


def _unpacked(archive: zipfile.ZipFile, folder: Path) -> Path:
    """Where an archive's files are, unpacked when it is met first."""
    target = folder / hashlib.sha256(Path(str(archive.filename)).read_bytes()).hexdigest()
    with _unpacking:
        if not target.exists():
            partial = target.with_suffix(".partial")
            zipfile.ZipFile.extractall(archive, partial)
            (partial / "__pycache__").mkdir(exist_ok=True)  # of modules that are in no package
            partial.rename(target)
    return target
