"""Coroutines within a step: one loop after the other, and nothing goes on behind its back."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from hitl_approval.agents.coroutines import complete


async def loop_now() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_should_return_the_result() -> None:
    assert complete(asyncio.sleep(0, "done")) == "done"


def test_should_run_one_after_the_other_in_the_same_loop() -> None:
    assert complete(loop_now()) is complete(loop_now())


def test_should_run_two_at_once_in_two_loops() -> None:
    both = asyncio.Barrier(1)

    async def meet(other: asyncio.AbstractEventLoop | None) -> asyncio.AbstractEventLoop:
        if other is None:
            with ThreadPoolExecutor() as pool:
                inner = pool.submit(complete, meet(asyncio.get_running_loop())).result()
            assert inner is not asyncio.get_running_loop()
        await both.wait()
        return asyncio.get_running_loop()

    complete(meet(None))


def test_should_raise_what_the_coroutine_raises() -> None:
    async def breaks() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        complete(breaks())
    assert complete(asyncio.sleep(0, "alive")) == "alive"


def test_should_end_what_was_begun_and_not_waited_for() -> None:
    ended: list[str] = []

    async def lasting() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def careless() -> None:
        task = asyncio.create_task(lasting())
        await asyncio.sleep(0)
        assert not task.done()

    complete(careless())
    assert ended == ["cancelled"]
