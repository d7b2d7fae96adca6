"""The workflows that wait, keys, randomness, time and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from hitl_approval.contract import Channel

Completed = Literal["resumed", "already_running", "delayed"]
"""What completing a callback did: the workflow resumes; the callback was closed before; Lambda
could not be reached, and the workflow reads the record by itself a little later."""


Execution = Literal["running", "ended"]


Unit = Literal["Count", "Seconds"]
"""Of a metric, as CloudWatch names it."""


class Signer(Protocol):
    """Signs what has happened, so that only who may use the key can have written it."""

    def sign(self, event_hash: str) -> str:
        """Sign the hash of an audit event, and by it all events before.

        Raises:
            Unavailable: not signed now; may be tried again.
        """

    def verify(self, event_hash: str, signature: str) -> bool:
        """Whether this key has signed this hash.

        Raises:
            Unavailable: it does not answer now.
        """


class Secrets(Protocol):
    """Randomness, so that tests can own it."""

    def draw(self) -> bytes:
        """As many bytes as a link's secret has, which nobody can guess."""


class CallbackClient(Protocol):
    """Resumes a waiting workflow."""

    def complete(self, callback_id: str) -> Completed:
        """Complete the callback. Never raises for a closed, unknown or unreachable one."""


class Tasks(Protocol):
    """Answers the task of a state machine that waits for an approval. Both are idempotent."""

    def succeed(self, token: str, output: Mapping[str, Any]) -> bool:
        """Let the state machine go on with this output; whether it still waited.

        Raises:
            Unavailable: not sent now; may be tried again.
        """

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Let the state fail; whether it still waited.

        Raises:
            Unavailable: not sent now; may be tried again.
        """


class Executions(Protocol):
    """Knows whether workflows still run."""

    def check_status(self, execution_arn: str) -> Execution:
        """Whether the execution still runs; one that is paused does, an unknown one has ended.

        Raises:
            Unavailable: it does not answer now.
        """


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime:
        """The current moment, UTC."""

    def pause(self, attempt: int) -> None:
        """Wait a moment before the given retry (1, 2, ...) of a contended write."""


class Meter(Protocol):
    """Counts what operators must see."""

    def count(self, metric: str, value: int = 1, *, channel: Channel | None = None) -> None:
        """Add to a metric of `contract.Metrics`; 0 says that all is well.

        Args:
            metric: its name.
            value: how many more.
            channel: by which messages go, for a metric that is counted by channel.
        """

    def measure(self, metric: str, value: float, unit: Unit) -> None:
        """Note what a metric of `contract.Metrics` measures now."""
