"""What the command says when it cannot do what was wanted: one line, a code, an exit status."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from hitl_approval.domain.request import FIELDS
from hitl_approval.domain.text import cut, inert
from hitl_approval_cli import output


class Exit(IntEnum):
    """Exit statuses of `hitl`."""

    OK = 0
    FAILED = 1
    """AWS was not reached, the stack was not found, or the deployment refused."""
    USAGE = 2
    """The command line is wrong."""
    REJECTED = 3
    """Of `submit --wait`, as are the next two."""
    TIMED_OUT = 4
    CANCELLED = 5
    INTERRUPTED = 130
    """Ctrl-C."""
    CLOSED_PIPE = 141
    """The reader of stdout, `head` say, has gone: a shell's number for the end by SIGPIPE."""


class CliError(Exception):
    """A failure with its one line.

    Attributes:
        code: stable, as in the approval function's answers.
        status: the command's exit status.
        details: JSON values, shown with `--json`.
        output: lines of another program, shown below the message.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "FAILED",
        status: Exit = Exit.FAILED,
        details: Mapping[str, Any] | None = None,
        output: Sequence[str] = (),
    ) -> None:
        super().__init__("\n  ".join([message, *output]))
        self.message = message
        self.output = tuple(output)
        self.code = code
        self.status = status
        self.details = dict(details or {})

    def to_dict(self) -> dict[str, Any]:
        """The error as `--json` shows it."""
        return {"error": {"code": self.code, "message": str(self), "details": self.details}}


class TransientError(CliError):
    """AWS or the deployment did not take a call now: the same call may succeed in a moment."""


class NotPermittedError(CliError):
    """The credentials lack a right."""


OPTION_OF: Mapping[str, str] = {
    **{
        field.event: f"--{field.event.replace('_', '-')}"
        for field in FIELDS.values()
        if field.event
    },
    "answers": "--answers",
    "approver": "--as",
    "business_hours": "--business-hours",
    "approvers": "--approver",
    "comments": "--message",
    "cursor": "--cursor",
    "document_name": "--subject",
    "escalation": "--escalate",
    "files": "--file",
    "for": "--for",
    "from": "--from",
    "limit": "--limit",
    "question": "--question",
    "since": "--since",
    "stages": "--stage",
    "status": "--status",
    "timeout_seconds": "--timeout",
    "to": "--to",
    "until": "--until",
}
"""A field of an event or action -> what a person types for it."""


def usage(message: str) -> CliError:
    """A wrong command line: nothing was changed."""
    return CliError(message, code="USAGE", status=Exit.USAGE)


def interrupted(standing: str = "") -> CliError:
    """Ctrl-C; `standing` says what it leaves as it is."""
    msg = f"interrupted; {standing}" if standing else "interrupted"
    return CliError(msg, code="INTERRUPTED", status=Exit.INTERRUPTED)


def refused_field(message: str, details: Mapping[str, Any]) -> CliError | None:
    """A refusal of `details["field"]` in terms of what was typed; None where no option sets it."""
    field = str(details.get("field"))
    if field not in OPTION_OF:
        return None
    return usage(f"{OPTION_OF[field]}: {message.removeprefix(f'{field}: ')}")


def show_error(error: CliError, *, as_json: bool, about: str = "") -> None:
    """One line on stderr: a sentence, or an object with `--json`."""
    if as_json:
        details = error.to_dict()
        if about:
            details["approval_id"] = about
        output.plain_error(json.dumps(details))
        return
    prefix = f"hitl: {cut(about)}: " if about else "hitl: "
    code = "" if error.status is Exit.USAGE else f" ({error.code})"
    for line in (f"{prefix}{error.message}{code}", *(f"  {line}" for line in error.output)):
        output.plain_error(inert(line, keep=""))
