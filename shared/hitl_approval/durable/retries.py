"""How the steps of a wait are tried again, and what may be said of an error."""

from __future__ import annotations

from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision

from hitl_approval.domain.errors import (
    ApprovalError,
    ApprovalNotFound,
    InvalidRequest,
    RecordAltered,
)

CREATE_ATTEMPTS = 6
"""About a minute of retries: a start that cannot be recorded fails where operators see it."""
NOTIFY_ATTEMPTS = 6
"""Half a minute of retries, then the failure is put on record and the wait goes on."""
READ_ATTEMPTS = 60
"""About an hour of retries: an outage of the table must not end a wait."""
FINAL = (InvalidRequest, ApprovalNotFound, RecordAltered)
"""What no retry changes."""
MAX_REASON = 200
"""Characters of a reason that is put on record."""
LONGEST_RETRY = 60
"""Seconds between two tries of one step, at most."""


def patiently() -> StepConfig:
    """For a step that an outage of its service must not fail: retried for about an hour."""
    return retrying(READ_ATTEMPTS)


def retrying(attempts: int) -> StepConfig:
    """Retry after 1, 2, 4 ... 60 s; a refusal is final at once."""

    def strategy(error: Exception, made: int) -> RetryDecision:
        if isinstance(error, FINAL) or made >= attempts:
            return RetryDecision.no_retry()
        return RetryDecision.retry(pause(made))

    return StepConfig(retry_strategy=strategy)


def pause(made: int) -> Duration:
    """Between two tries, of which so many were made."""
    return Duration(seconds=min(2 ** (made - 1), LONGEST_RETRY))


def reason_of(error: Exception) -> str:
    """What may be said of an error: our own text, of others no more than the name."""
    said = str(error) if isinstance(error, ApprovalError) else type(error).__name__
    return said[:MAX_REASON]
