"""Which value the option `escalation` takes: steps, or the same as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.stage import Escalate, accept_escalation
from hitl_approval_cdk.tokens import is_token, shown


def escalation(name: str, value: Any) -> tuple[Escalate, ...]:
    """Steps that are known at synth, each as `Escalate` or as JSON has it.

    Raises:
        ValueError: something else.
    """
    if not isinstance(value, list | tuple):
        use = '[Escalate(after=timedelta(hours=8), to=["leads"])]'
        msg = f"{name} must be a list of steps, got {shown(value)}: use {use}, say"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    steps = [Escalate.from_dict(each) if isinstance(each, Mapping) else each for each in value]
    try:
        found = accept_escalation(steps, name)
    except InvalidRequest as error:
        raise ValueError(str(error)) from error
    if any(is_token(each) for step in found for each in step.to):
        msg = f"{name} must be known at synth, got a token: name people or groups"
        raise ValueError(msg)
    return found
