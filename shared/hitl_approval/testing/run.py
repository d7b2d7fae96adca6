"""One execution of a durable function in a test, and what it has come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hitl_approval.testing.execution import CALLBACKS, LocalExecution

if TYPE_CHECKING:
    from hitl_approval.testing.approvals import Approvals


class RunFailed(AssertionError):  # noqa: N818  reads as what happened
    """The function raised.

    Attributes:
        error_type: the exception's module and name, as Lambda's `ErrorType`.
    """

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type


class Run(LocalExecution):
    """One execution of a durable function, of a test's deployment."""

    def __init__(self, approvals: Approvals, handler: Callable[[Any, Any], Any]) -> None:
        super().__init__(handler)
        self.approvals = approvals
        self.failure_is_known = False

    def result(self) -> Any:
        """What the function returned, as JSON values.

        Raises:
            RunFailed: it raised.
            AssertionError: it still waits; the message says for what.
        """
        self.approvals.wait_until_idle()
        if not self.done:
            msg = f"the function has not ended: it waits {self._waits_for()}"
            raise AssertionError(msg)
        if self.failed:
            self.failure_is_known = True
            error = self.outcome.error
            raise RunFailed(str(error.type), str(error.message))
        return json.loads(str(self.outcome.result)) if self.outcome.result else None

    @property
    def failed(self) -> bool:
        """Whether it has raised."""
        return self.done and self.outcome.status.value != "SUCCEEDED"

    def standing(self) -> str:
        """In words: how it ended, or what it waits for."""
        if not self.done:
            return f"the function waits {self._waits_for()}"
        if self.failed:
            error = self.outcome.error
            return f"the function has ended: {error.type}: {error.message}"
        return f"the function has ended: it returned {self.outcome.result}"

    def _waits_for(self) -> str:
        subjects = [
            f"for {approval.subject!r}"
            for approval in self.approvals.store.approvals.values()
            if approval.execution_arn == self.arn and approval.pending
        ]
        timers = [
            f"until {self.goes_on_at(wait).isoformat(timespec='seconds')}"
            f" ({wait.name or 'a timer'}; `advance` lets time pass)"
            for wait in self.waits()
            if wait.operation_type not in CALLBACKS
        ]
        return ", ".join(subjects + timers) or "for something else"

    def idle(self) -> bool:
        """Whether it has ended, or waits for people or for time and for nothing else."""
        return self.done or bool(self.waits())
