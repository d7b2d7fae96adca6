"""Messages on stdin and stdout, one a line, in UTF-8; nothing else is ever written there."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Final

CHUNK: Final = 65_536
"""Bytes that are read at once: what a pipe holds."""


def lines(read: Callable[[int], bytes], most: int) -> Iterator[str]:
    """The lines until the end; of one that is longer than `most` bytes, the first and one more.

    What is not UTF-8 becomes a line that no JSON has.

    Args:
        read: gives up to so many bytes, none at the end.
        most: bytes of a line that are kept.
    """
    line = bytearray()
    while chunk := read(CHUNK):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            line += piece[: most + 1 - len(line)]
            yield line.decode("utf-8", "surrogateescape")
            line.clear()
        line += rest[: most + 1 - len(line)]
    if line:
        yield line.decode("utf-8", "surrogateescape")


def stdin_reader() -> Callable[[int], bytes]:
    """Reads stdin as it comes, without a buffer that a thread could hold while the process ends."""
    try:
        handle = sys.stdin.fileno()
    except (io.UnsupportedOperation, ValueError):
        return sys.stdin.buffer.read
    return lambda size: os.read(handle, size)


class Writer:
    """Writes whole lines, from several threads."""

    def __init__(self, write: Callable[[bytes], object], flush: Callable[[], object]) -> None:
        self._write, self._flush = write, flush
        self._lock = Lock()

    def line(self, message: str) -> None:
        """Write one message.

        Raises:
            OSError: nobody reads any more.
        """
        with self._lock:
            self._write(message.encode("utf-8", "surrogateescape") + b"\n")
            self._flush()


def stdout_writer() -> Writer:
    """Writes to stdout."""
    return Writer(sys.stdout.buffer.write, sys.stdout.buffer.flush)
