"""Asks people about several calls at once: about all of them, or about none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Condition
from typing import Any, Final

from aws_durable_execution_sdk_python import ChildContextError, DurableContext

from hitl_approval.domain.outcome import Snapshot
from hitl_approval.durable.refusals import refusal_of
from hitl_approval.durable.withdraw import withdraw

REASON: Final = "the agent has failed: another call that it made at once could not be asked about"
"""Why the others are withdrawn, on record."""

Ask = Callable[[DurableContext], Snapshot]


class _Branches:
    """Those that run now. The durable engine goes on when one has failed, and leaves the others."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._running = 0
        self._closed = False

    def counted(self, ask: Ask) -> Callable[[DurableContext], Snapshot | None]:
        """A branch, which asks unless all is over before it begins."""

        def branch(context: DurableContext) -> Snapshot | None:
            with self._changed:
                if self._closed:
                    return None
                self._running += 1
            try:
                return ask(context)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        return branch

    def close(self) -> None:
        """Let none begin any more, and wait for those that run: they ask, suspend or fail."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._running)


def ask_together(context: DurableContext, asks: Mapping[str, Ask], name: str) -> list[Snapshot]:
    """Ask people about several calls at once, each an approval of its own.

    Args:
        context: of the agent's run.
        asks: each asks about one call, by the name of its approval.
        name: of the operation that has them as its branches.

    Returns:
        How each has ended, in their order.

    Raises:
        InvalidRequest: the deployment cannot hold one of them; all others are withdrawn.
        ChildContextError: one could not be written or read; all others are withdrawn.
    """
    branches = _Branches()
    ended: Any = context.parallel([branches.counted(ask) for ask in asks.values()], name=name)
    try:
        ended.throw_if_error()
    except ChildContextError as error:
        branches.close()
        for approval in asks:
            withdraw(context, approval, REASON)
        raise refusal_of(error) or error from None
    return list(ended.get_results())
