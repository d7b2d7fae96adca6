"""Greenlets take turns as threads would, and say so when nobody can go on."""

from __future__ import annotations

import queue

import pytest

from tests.faults.cooperative import Event, Lock, Pool, Queue, Task, wait


def test_should_give_a_lock_to_the_first_who_waited() -> None:
    lock, order = Lock(), []

    def body(name: str) -> None:
        lock.acquire()
        order.append(name)
        lock.release()

    lock.acquire()
    tasks = [Task(lambda name=name: body(name)) for name in "abc"]  # type: ignore[misc]
    assert order == []
    lock.release()
    for task in tasks:
        task.join()
    assert order == ["a", "b", "c"]


def test_should_wait_until_something_has_happened() -> None:
    event = Event()
    seen: list[str] = []
    tasks = [Task(lambda: seen.append(str(event.wait()))) for _ in range(2)]
    Task(event.set)
    for task in tasks:
        task.join()
    assert seen == ["True", "True"]


def test_should_hand_over_what_was_put() -> None:
    items = Queue()
    with Pool(max_workers=2) as pool:
        got = pool.submit(lambda: [items.get(), items.get()])
        pool.submit(items.put, 1)
        pool.submit(items.put, 2)
    assert got.result() == [1, 2]
    assert items.empty()
    with pytest.raises(queue.Empty):
        items.get_nowait()


def test_should_raise_what_a_task_raised_where_its_result_is_asked_for() -> None:
    with Pool() as pool:
        failed = pool.submit(int, "x")
        wait([failed])
    with pytest.raises(ValueError, match="'x'"):
        failed.result()


def test_should_not_hang_when_everything_waits() -> None:
    with pytest.raises(RuntimeError, match="everything waits"):
        Event().wait()
    assert Pool().submit(lambda: 7).result() == 7
