"""Who asks by MCP, and what they may do: ask, read and withdraw. There is no way to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hitl_approval.domain.errors import ApprovalError

Action = Literal["get", "cancel"]
"""Of the approval function's actions, the two that whoever asked may take."""


@dataclass(frozen=True, slots=True)
class Started:
    """An execution of the packaged workflow.

    Attributes:
        approval_id: of the request that it makes.
        execution_arn: of the execution.
    """

    approval_id: str
    execution_arn: str


class Caller(Protocol):
    """Somebody who has signed in, and the deployment that they ask."""

    @property
    def name(self) -> str:
        """Who it is, as the sign-in says."""

    def start(self, event: Mapping[str, Any], key: str | None) -> Started:
        """Start the packaged workflow.

        Args:
            event: its event.
            key: makes it the same execution when it is sent again. Default: each call is another.

        Raises:
            ApprovalError: it was not started.
        """

    def refusal(self, started: Started) -> ApprovalError | None:
        """Why an execution has ended without a request; None while it may still make one."""

    def act(self, action: Action, approval_id: str, comments: str = "") -> Mapping[str, Any]:
        """Take an action of the approval function; the record as its view.

        Raises:
            ApprovalError: it was refused.
        """

    def page_of(self, approval_id: str) -> str | None:
        """Where people see the request and decide; None without such a page."""

    def pause(self, attempt: int) -> None:
        """Wait a little before reading again, longer with each attempt, from 1."""
