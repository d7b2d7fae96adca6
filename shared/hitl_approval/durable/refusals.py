"""What a wait refuses before it does anything, and how a step's refusal reaches its caller."""

from __future__ import annotations

import sys
from typing import Any

from aws_durable_execution_sdk_python import ChildContextError, StepContext, StepError
from aws_durable_execution_sdk_python.operation.step import StepOperationExecutor
from aws_durable_execution_sdk_python.operation.wait_for_condition import (
    WaitForConditionOperationExecutor,
)

from hitl_approval.domain.errors import InvalidRequest

_BODIES = frozenset(
    executor.execute.__code__
    for executor in (StepOperationExecutor, WaitForConditionOperationExecutor)
)
"""What of the durable SDK runs the body of a step."""
_REFUSAL = f"{InvalidRequest.__module__}.{InvalidRequest.__name__}"


def check_context(context: Any) -> None:
    """Refuse to wait within a step, which can neither suspend nor hold operations of its own.

    Raises:
        InvalidRequest: this is called by a step's body.
    """
    if isinstance(context, StepContext) or _within_a_step():
        rule = "must be a handler's or a branch's, not a step's: wait outside of context.step"
        raise InvalidRequest("context", rule)


def _within_a_step() -> bool:
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code in _BODIES:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def refusal_of(error: StepError | ChildContextError) -> InvalidRequest | None:
    """The refusal by which a step or a branch failed; None if it failed otherwise."""
    if error.error_type != _REFUSAL:
        return None
    field, _, rule = str(error.message).partition(": ")
    return InvalidRequest(field, rule)
