"""The server behind the gate: a program, whose input and output pass through it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread, current_thread, main_thread
from typing import Any, BinaryIO, Final, cast

from hitl_approval.domain.text import cut
from hitl_approval.domain.tool_policy import ToolPolicy
from hitl_approval.mcp.caller import Caller
from hitl_approval_cli import output
from hitl_approval_cli.errors import CliError, usage
from hitl_approval_cli.mcp_gate import MAX_LINE, Gate
from hitl_approval_cli.mcp_lines import CHUNK, Writer, lines, stdin_reader, stdout_writer

LEAVE: Final = 5.0
"""Seconds that a server has to end once its input has; then it is ended."""


class ServerGoneError(OSError):
    """The server does not read any more."""


_Part = tuple[str, str | None]
"""Who has written, and the line; None at the end."""


def run(words: Sequence[str], policy: ToolPolicy, caller: Caller, wait: float) -> None:
    """Start a server and stand before it until the client's input ends.

    Args:
        words: the program and its arguments.
        policy: of its tools.
        caller: who asks.
        wait: how long a call is held, in seconds.

    Raises:
        CliError: it cannot be started, or has ended by itself.
    """
    try:
        server = subprocess.Popen(  # noqa: S603  the user's own words, no shell
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
    except OSError as error:
        raise usage(f"{cut(words[0])}: {error.strerror}") from None
    to_server, from_server = cast(BinaryIO, server.stdin), cast(BinaryIO, server.stdout)
    gate = Gate(
        policy,
        caller,
        to_client=stdout_writer(),
        to_server=Writer(_whole(to_server.write), lambda: None),
        wait=wait,
        say=_say,
    )
    parts: SimpleQueue[_Part] = SimpleQueue()
    _read(parts, "client", stdin_reader())
    _read(parts, "server", from_server.read)
    ended = None
    try:
        with _ended_by_signal():
            while ended is None:
                ended = _pass_on(gate, *parts.get())
    finally:
        gate.close()
        _end(server, to_server)
        from_server.close()
    if ended == "server":
        msg = f"{cut(words[0])} has ended with status {server.returncode}"
        raise CliError(msg, code="SERVER_ENDED")


def _pass_on(gate: Gate, who: str, line: str | None) -> str | None:
    """Pass on a line; who has ended, if it was the end."""
    if line is None:
        return who
    if who == "server":
        gate.from_server(line)
        return None
    try:
        gate.from_client(line)
    except ServerGoneError:
        return "server"
    return None


def _read(parts: SimpleQueue[_Part], who: str, read: Callable[[int], bytes]) -> None:
    def run() -> None:
        with suppress(OSError, ValueError):
            for line in lines(read, MAX_LINE):
                parts.put((who, line))
        parts.put((who, None))

    Thread(target=run, daemon=True).start()


def _whole(write: Callable[[bytes], int | None]) -> Callable[[bytes], None]:
    """Writes all of it: a pipe takes what it holds."""

    def all_of(data: bytes) -> None:
        rest = data
        try:
            while rest:
                rest = rest[write(rest[:CHUNK]) or 0 :]
        except (OSError, ValueError) as error:
            raise ServerGoneError from error

    return all_of


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Lets SIGTERM, by which clients end a server, end it as Ctrl-C does."""
    if current_thread() is not main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(server: subprocess.Popen[bytes], to_server: BinaryIO) -> None:
    """Close its input, and end it if it does not end by itself."""
    with suppress(OSError):
        to_server.close()
    try:
        server.wait(timeout=LEAVE)
    except subprocess.TimeoutExpired:
        server.terminate()
        try:
            server.wait(timeout=LEAVE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _say(line: str) -> None:
    output.plain_error(f"hitl: {line}")
