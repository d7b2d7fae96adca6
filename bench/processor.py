"""Whose processor time it is: the local cloud's own, and that of each function's processes.

Read from `/proc`, so on Linux alone; elsewhere nothing is read, and the table has no rows.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ITSELF = "the local cloud itself"
ENDED = "processes of functions that have ended"
ASKING = "who decides: this program's 16 threads"
_TICKS = os.sysconf("SC_CLK_TCK")


def seconds(cloud: int) -> Mapping[str, float]:
    """CPU seconds until now, by what they were used for.

    Args:
        cloud: process id of the local cloud; each function runs in processes that it started.
    """
    spent: dict[str, float] = defaultdict(float)
    for process, parent, used, children in _processes():
        if process == cloud:
            spent[ITSELF] += used
            spent[ENDED] += children
        elif process == os.getpid():
            spent[ASKING] += used
        elif parent == cloud:
            spent[_function(process)] += used
    return spent


def _processes() -> Iterator[tuple[int, int, float, float]]:
    """(process, its parent, its CPU seconds, those of its children that ended) of all that run."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which stands in brackets and may hold anything.
            fields = file.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        used, children = (sum(map(int, fields[n : n + 2])) / _TICKS for n in (11, 13))
        yield int(file.parent.name), int(fields[1]), used, children


def _function(process: int) -> str:
    """Name of the function that a process runs."""
    try:
        values = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
    except OSError:
        values = []
    named = dict(value.partition("=")[::2] for value in values)
    return named.get("AWS_LAMBDA_FUNCTION_NAME", "other processes")
