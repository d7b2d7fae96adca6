"""What the durable SDK and the simulator need of threads, in one thread: greenlets take turns.

A turn that goes from one thread to another costs the operating system far more than what is done
in it; a schedule has some hundred. A greenlet gives its turn away only where it waits, so the
order in which they run follows from the choices of a schedule and from nothing else.

Only what is used is here. If everything waits, `wait` raises `RuntimeError` in the main greenlet,
where threads would hang.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, Self

from greenlet import (  # type: ignore[import-untyped]  # it has no types
    GreenletExit,
    getcurrent,
    greenlet,
)

__all__ = ["Event", "Future", "GreenletExit", "Lock", "Pool", "Queue", "Task", "wait"]

_ready: deque[greenlet] = deque()


def _take_turns() -> NoReturn:
    while True:
        if _ready:
            _ready.popleft().switch()
        else:
            _hub.parent.throw(RuntimeError("everything waits, and nobody is left to end that"))


_hub = greenlet(_take_turns)


class _Waiters:
    """Greenlets that wait for the same."""

    def __init__(self) -> None:
        self._waiting: deque[greenlet] = deque()

    def wait(self) -> None:
        self._waiting.append(getcurrent())
        _hub.switch()

    def ready_one(self) -> None:
        if self._waiting:
            _ready.append(self._waiting.popleft())

    def ready_all(self) -> None:
        _ready.extend(self._waiting)
        self._waiting.clear()


class Lock:
    """As `threading.Lock`; the first who waits is the first who gets it."""

    def __init__(self) -> None:
        self._free = True
        self._waiters = _Waiters()

    def acquire(self) -> None:
        while not self._free:
            self._waiters.wait()
        self._free = False

    def release(self) -> None:
        self._free = True
        self._waiters.ready_one()


class Event:
    """As `threading.Event`, without a time limit."""

    def __init__(self) -> None:
        self._set = False
        self._waiters = _Waiters()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._waiters.ready_all()

    def wait(self, timeout: None = None) -> bool:
        assert timeout is None, "there is no clock here"
        while not self._set:
            self._waiters.wait()
        return True


class Queue:
    """As `queue.Queue`, without a time limit."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._waiters = _Waiters()

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._waiters.ready_one()

    def get(self) -> Any:
        while not self._items:
            self._waiters.wait()
        return self._items.popleft()

    def get_nowait(self) -> Any:
        if not self._items:
            raise queue.Empty
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items


class Task:
    """As a thread that has been started."""

    def __init__(self, body: Callable[[], object]) -> None:
        self._body = body
        self._done = Event()
        _ready.append(greenlet(self._run, _hub))

    def join(self) -> None:
        self._done.wait()

    def _run(self) -> None:
        try:
            self._body()
        finally:
            self._done.set()


class Future:
    """What a task of a pool returned or raised."""

    def __init__(self, body: Callable[[], object]) -> None:
        self._body = body
        self._result: object = None
        self._error: BaseException | None = None
        self._task = Task(self._run)

    def result(self) -> object:
        self._task.join()
        if self._error is not None:
            raise self._error
        return self._result

    def join(self) -> None:
        self._task.join()

    def _run(self) -> None:
        try:
            self._result = self._body()
        except BaseException as error:  # noqa: BLE001  for who asks for the result
            self._error = error


class Pool:
    """As `concurrent.futures.ThreadPoolExecutor` with a worker for every task."""

    def __init__(self, **_: object) -> None:
        self._futures: list[Future] = []

    def submit(self, function: Callable[..., object], *arguments: object) -> Future:
        self._futures.append(Future(lambda: function(*arguments)))
        return self._futures[-1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        wait(self._futures)


def wait(futures: Iterable[Future]) -> None:
    """As `concurrent.futures.wait`."""
    for future in futures:
        future.join()
