"""Counts an execution's durable operations, so that one that cannot end well is not begun."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from weakref import WeakKeyDictionary

from aws_durable_execution_sdk_python import DurableContext
from aws_durable_execution_sdk_python.lambda_service import Operation, OperationStatus
from aws_durable_execution_sdk_python.state import ExecutionState

from hitl_approval.contract import MAX_OPERATIONS
from hitl_approval.domain.errors import InvalidRequest


class Reserve:
    """Operations that one open wait may still take.

    Attributes:
        most: that it can take in all.
        taken: that it has taken; a wait that is replayed takes them again.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    @property
    def left(self) -> int:
        """How many more it may take."""
        return max(0, self.most - self.taken)


_OPEN: WeakKeyDictionary[ExecutionState, set[Reserve]] = WeakKeyDictionary()
"""What the waits that are open may still take, by the invocation of their execution."""
_LOCK = Lock()


@contextmanager
def reserved(context: DurableContext, most: int) -> Iterator[Reserve]:
    """Hold so many operations of the execution as long as a wait is open."""
    reserve = Reserve(most)
    with _LOCK:
        held = _OPEN.setdefault(context.state, set())
        held.add(reserve)
    try:
        yield reserve
    finally:
        with _LOCK:
            held.discard(reserve)


def check_room(context: DurableContext, reserve: Reserve) -> None:
    """Refuse an approval whose wait could take the execution past its last operation.

    Called where its record is created, so once: what was begun is not refused on a replay.

    Raises:
        InvalidRequest: with the numbers.
    """
    with _LOCK:
        others = sum(one.left for one in _OPEN[context.state] if one is not reserve)
    taken = sum(map(_metered, context.state.operations.values()))
    if taken + others + reserve.left > MAX_OPERATIONS:
        rule = (
            f"may take {reserve.most} durable operations, and this execution has taken {taken} and "
            f"keeps {others} for approvals that are open, of {MAX_OPERATIONS}: shorten the "
            f"timeout, or ask in another execution"
        )
        raise InvalidRequest("approval", rule)


def _metered(operation: Operation) -> int:
    """An operation is metered as one; a condition that is polled, when it has ended, for each."""
    details = operation.step_details
    ended = operation.status is not OperationStatus.STARTED
    return max(1, details.attempt) if details is not None and ended else 1
