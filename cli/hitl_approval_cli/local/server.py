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
from urllib.parse import parse_qs

from hitl_approval_cli.local import access
from hitl_approval_cli.local.mail import Mail
from hitl_approval_cli.local.people import People
from hitl_approval_cli.local.process import (
    ACCOUNT,
    MAIL_PATH,
    PEOPLE_PATH,
    PERMISSIONS_PATH,
    REGION,
)
from hitl_approval_cli.local.state import Keeper, StateFolder

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
    os.umask(0o077)  # what it writes, the key included, is for its user only
    try:
        kept = StateFolder(state_dir.absolute()) if state_dir else None
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}")
    listener = _listen(port, kept)
    ready = _keep_stdout_for_the_ready_line(log_file)
    for number in SIGNALS:  # until the loop takes them over
        signal.signal(number, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="hitl-local-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        key = kept.key if kept else access.new_key()
        bound = int(listener.getsockname()[1])
        _configure(bound, key, kept, scratch)
        if kept:
            kept.remember(bound)
        line = {
            "endpoint_url": f"http://{HOST}:{bound}",
            "pid": os.getpid(),
            "key": key,
            "lost": bool(kept and kept.lost),
        }
        cloud = _Cloud(line, kept, scratch)
        try:
            asyncio.new_event_loop().run_until_complete(cloud.serve(listener, ready, parent))
        finally:
            cloud.stop()
    # All is written and every worker has ended. What is left are threads that wait for sockets
    # and timers, and the interpreter would wait for them in turn.
    sys.stderr.flush()
    os._exit(0)


def _listen(port: int, kept: StateFolder | None) -> socket.socket:
    """Listen on this port, or where the kept state was served if that is free, or anywhere."""
    for wanted in [port] if port else [*([kept.port] if kept and kept.port else []), 0]:
        try:
            return socket.create_server((HOST, wanted))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    sys.exit(f"port {wanted} on {HOST} cannot be used: {reason}")


class _Cloud:
    """The two emulators, joined."""

    def __init__(self, line: dict[str, Any], kept: StateFolder | None, scratch: Path) -> None:
        # ministack reads its configuration when it is imported.
        from ministack.app import SERVICE_HANDLERS, app
        from ministack.core import lambda_runtime

        from hitl_approval_cli.local import functions, gaps, streams, workers
        from hitl_approval_cli.local.durable_api import MAX_SYNCHRONOUS_SECONDS, DurableApi
        from hitl_approval_cli.local.engine import DurableEngine
        from hitl_approval_cli.local.logs import log_as_lambda_does
        from hitl_approval_cli.local.permissions import Permissions, hold_functions_to_their_roles

        self._app = app
        self._line = line
        self._access = access.Access(line["key"])
        access.answer_published_urls_only_by_their_deployment()
        self._permissions = Permissions(line["key"])
        hold_functions_to_their_roles(self._permissions)
        self._mail = Mail()
        self._people = People()
        self._keeper = Keeper(kept.services) if kept else None
        if self._keeper:
            self._keeper.take_over()
            self._keeper.keep("hitl-mail", self._mail)
            self._keeper.keep("hitl-streams", streams.Records())
        self._end_workers = lambda_runtime.reset
        self._refuse_invocations = functions.close
        self._engine = DurableEngine(
            kept.executions if kept else scratch / "executions.db",
            endpoint_url=line["endpoint_url"],
            dead_letter=self._permissions.held(gaps.send_to_dead_letter_queue),
        )
        barrier = self._keeper.barrier if self._keeper else None
        gaps.route_durable_requests(DurableApi(self._engine, barrier))
        gaps.run_functions_for_events(self._engine, MAX_SYNCHRONOUS_SECONDS)
        gaps.read_streams_for_each_mapping_by_itself()
        gaps.note_messages_to_people(self._mail)
        workers.bound_warm_processes()
        workers.let_processes_fail_alone()
        workers.answer_without_waiting_for_logs()
        log_as_lambda_does()
        workers.hide_own_packages(scratch / "runtime")
        workers.share_unpacked_code(scratch / "code")
        self._close_gaps_of_cloudformation = gaps.close_gaps_of_cloudformation
        self._cloudformation: asyncio.Future[None] | None = None
        stock = SERVICE_HANDLERS["cloudformation"]

        async def cloudformation(*request: Any) -> Any:
            if self._cloudformation:
                await asyncio.shield(self._cloudformation)
            return await stock(*request)

        SERVICE_HANDLERS["cloudformation"] = cloudformation

    async def serve(self, listener: socket.socket, ready: Any, parent: int | None) -> None:
        """Serve until `stop` is called."""
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            loop.add_signal_handler(number, stop.set)
        beside = [loop.create_task(_watch(parent, stop))] if parent else []
        if self._keeper:
            beside.append(loop.create_task(self._keeper.run()))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            async def send_message(message: Any) -> None:
                await send(message)
                if message["type"] == "lifespan.startup.complete":
                    # Functions are restored by now: what was running can go on.
                    self._engine.start()
                    # It takes half of the start-up time: ready before it, its callers wait for it.
                    self._cloudformation = asyncio.ensure_future(
                        asyncio.to_thread(self._close_gaps_of_cloudformation)
                    )
                    print(json.dumps(self._line), file=ready, flush=True)

            if scope["type"] == "lifespan":
                await self._app(scope, receive, send_message)
            elif await self._access.refuse(scope, send):
                pass
            elif scope["path"] == MAIL_PATH:
                await self._show_mail(scope, send)
            elif scope["path"] == PERMISSIONS_PATH:
                await _answer(send, self._permissions.report())
            elif scope["path"].startswith(PEOPLE_PATH):
                await self._people.answer(scope, send)
            elif (receive := await self._permissions.refuse(scope, receive, send)) is None:
                pass
            elif self._keeper:
                await self._app(scope, receive, self._keeper.noting(scope, send))
            else:
                await self._app(scope, receive, send)

        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.keep_alive_timeout = 75
        config.graceful_timeout = 1
        config.loglevel = "WARNING"

        async def stop_requested() -> None:
            await stop.wait()
            # Before ministack writes its state: a step that is checkpointed has its rows in it.
            await asyncio.to_thread(self.stop)

        await serve(app, config, shutdown_trigger=stop_requested)
        if self._cloudformation:  # stopped at once: it still loads, and writes files
            await asyncio.wait([self._cloudformation])
        for task in beside:
            task.cancel()

    async def _show_mail(self, scope: Any, send: Any) -> None:
        after = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
        messages = self._mail.after(int(after) if after.isdecimal() else 0)
        await _answer(send, {"messages": messages})

    def stop(self) -> None:
        """End invocations, their processes, and all timers."""
        self._engine.executor.shutdown()
        self._refuse_invocations()
        self._end_workers()
        self._engine.stop()


async def _answer(send: Any, answer: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


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


def _configure(port: int, key: str, kept: StateFolder | None, scratch: Path) -> None:
    """Set ministack's configuration, which it reads from the environment."""
    inherited = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    os.environ.clear()
    state = kept.folder if kept else scratch
    keep = "1" if kept else "0"
    # Functions unpack their bundles and write their own files in the temporary folder.
    tempfile.tempdir = str(scratch)
    os.environ |= inherited | {
        "TMPDIR": str(scratch),
        "TZ": "UTC",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
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
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
