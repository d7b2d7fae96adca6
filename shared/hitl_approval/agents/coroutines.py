"""Runs what a framework has as a coroutine, within a step."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

_FREE: list[asyncio.AbstractEventLoop] = []
"""Loops that nobody runs now. They are kept, since connections that a framework keeps open belong
to the loop that they were opened in."""


def complete(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine. Nothing that it has begun goes on after it has ended."""
    loop = _FREE.pop() if _FREE else asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(_end(asyncio.all_tasks(loop)))
        loop.run_until_complete(loop.shutdown_asyncgens())
        _FREE.append(loop)


async def _end(left: set[asyncio.Task[Any]]) -> None:
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
