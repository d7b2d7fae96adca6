"""Assemble ministack and AWS's durable engine, serve them on one loopback port until a signal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from hitl_approval_cli.local.process import ACCOUNT, REGION

HOST = "127.0.0.1"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
"""The caller's other variables are dropped: functions would see them, some configure ministack."""


def run(
    *, port: int, state_dir: Path | None, log_file: Path | None, parent: int | None
) -> NoReturn:
    """Serve until SIGINT, SIGTERM, SIGHUP or the parent's end; print one line when ready.

    Args:
        port: 0 for a free one.
        state_dir: where state outlives the server; None for nowhere.
        log_file: None for stderr.
        parent: process whose end ends the server; 0 for the one that started it, None for none.
    """
    if parent == 0:
        parent = os.getppid()
    try:
        listener = socket.create_server((HOST, port))
    except OSError as error:
        sys.exit(f"port {port} on {HOST} cannot be used: {os.strerror(error.errno or 0)}")
    ready = _keep_stdout_for_the_ready_line(log_file)
    for number in SIGNALS:  # until the loop takes them over
        signal.signal(number, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="hitl-local-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        _configure(listener, state_dir, scratch)
        endpoint_url = f"http://{HOST}:{os.environ['GATEWAY_PORT']}"
        cloud = _Cloud(endpoint_url, (state_dir or scratch) / "executions.db", scratch)
        try:
            asyncio.new_event_loop().run_until_complete(cloud.serve(listener, ready, parent))
        finally:
            cloud.stop()
    # All is written and every worker has ended. What is left are threads that wait for sockets
    # and timers, and the interpreter would wait for them in turn.
    sys.stderr.flush()
    os._exit(0)


class _Cloud:
    """The two emulators, joined."""

    def __init__(self, endpoint_url: str, database: Path, scratch: Path) -> None:
        # ministack reads its configuration when it is imported.
        from ministack.app import SERVICE_HANDLERS, app
        from ministack.core import lambda_runtime

        from hitl_approval_cli.local import functions, gaps
        from hitl_approval_cli.local.durable_api import MAX_SYNCHRONOUS_SECONDS, DurableApi
        from hitl_approval_cli.local.engine import DurableEngine

        self._app = app
        self._endpoint_url = endpoint_url
        self._end_workers = lambda_runtime.reset
        self._refuse_invocations = functions.close
        self._engine = DurableEngine(
            database, endpoint_url=endpoint_url, dead_letter=gaps.send_to_dead_letter_queue
        )
        gaps.route_durable_requests(DurableApi(self._engine))
        gaps.run_functions_for_events(self._engine, MAX_SYNCHRONOUS_SECONDS)
        gaps.bound_warm_processes()
        gaps.let_processes_fail_alone()
        gaps.answer_without_waiting_for_logs()
        gaps.hide_own_packages(scratch / "runtime")
        self._close_gaps_of_cloudformation = gaps.close_gaps_of_cloudformation
        self._cloudformation: asyncio.Future[None] | None = None
        stock = SERVICE_HANDLERS["cloudformation"]

        async def cloudformation(*request: Any) -> Any:
            if self._cloudformation:
                await asyncio.shield(self._cloudformation)
            return await stock(*request)

        SERVICE_HANDLERS["cloudformation"] = cloudformation

    async def serve(self, listener: socket.socket, ready: Any, parent: int | None) -> None:
        """Serve until told to stop."""
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop.set)
        watch = loop.create_task(_watch(parent, stop)) if parent else None

        async def app(scope: Any, receive: Any, send: Any) -> None:
            async def announce(message: Any) -> None:
                await send(message)
                if message["type"] == "lifespan.startup.complete":
                    # Functions are restored by now: what was running can go on.
                    self._engine.start()
                    # It takes half of the start-up time: ready before it, its callers wait for it.
                    self._cloudformation = asyncio.ensure_future(
                        asyncio.to_thread(self._close_gaps_of_cloudformation)
                    )
                    line = {"endpoint_url": self._endpoint_url, "pid": os.getpid()}
                    print(json.dumps(line), file=ready, flush=True)

            await self._app(scope, receive, announce if scope["type"] == "lifespan" else send)

        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.keep_alive_timeout = 75
        config.graceful_timeout = 1
        config.loglevel = "WARNING"

        async def told_to_stop() -> None:
            await stop.wait()
            # Before ministack writes its state: a step that is checkpointed has its rows in it.
            await asyncio.to_thread(self.stop)

        await serve(app, config, shutdown_trigger=told_to_stop)
        if self._cloudformation:  # told to stop at once: it still loads, and writes files
            await asyncio.wait([self._cloudformation])
        if watch:
            watch.cancel()

    def stop(self) -> None:
        """End invocations, their processes, and all timers."""
        self._engine.executor.shutdown()
        self._refuse_invocations()
        self._end_workers()
        self._engine.stop()


async def _watch(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    stop.set()


def _keep_stdout_for_the_ready_line(log_file: Path | None) -> Any:
    """Send all else that is printed to the log."""
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        with log_file.open("ab") as log:
            os.dup2(log.fileno(), 2)
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return ready


def _configure(listener: socket.socket, state_dir: Path | None, scratch: Path) -> None:
    """Set ministack's configuration, which it reads from the environment."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    os.environ.clear()
    state = (state_dir or scratch).absolute()
    state.mkdir(parents=True, exist_ok=True)
    keep = "1" if state_dir else "0"
    # Functions unpack their bundles and write their own files in the temporary folder.
    tempfile.tempdir = str(scratch)
    os.environ |= kept | {
        "TMPDIR": str(scratch),
        "TZ": "UTC",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(listener.getsockname()[1]),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Where there is Docker, ministack would remove the containers of its other instances.
        "DOCKER_HOST": "unix:///nonexistent",
        "PERSIST_STATE": keep,
        "STATE_DIR": str(state / "services"),
        "S3_PERSIST": keep,
        "S3_DATA_DIR": str(state / "s3"),
        "LOG_LEVEL": "INFO",
        # Idle processes end after a minute; AWS's concurrency, since invocations wait in line.
        "LAMBDA_WARM_TTL_SECONDS": "60",
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
