"""What the command says when it cannot do what was asked: one line, a code, an exit status."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit statuses of `hitl`."""

    OK = 0
    FAILED = 1
    """AWS was not reached, the stack was not found, or the deployment refused."""
    USAGE = 2
    """The command's words are wrong."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CliError(Exception):
    """A failure with its one line.

    Attributes:
        code: stable, as in the approval function's answers.
        status: the command's exit status.
        details: JSON values, shown with `--json`.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "FAILED",
        status: Exit = Exit.FAILED,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.details = dict(details or {})

    def to_dict(self) -> dict[str, Any]:
        """The error as `--json` shows it."""
        return {"error": {"code": self.code, "message": str(self), "details": self.details}}


def usage(message: str) -> CliError:
    """Wrong words: nothing was sent."""
    return CliError(message, code="USAGE", status=Exit.USAGE)
