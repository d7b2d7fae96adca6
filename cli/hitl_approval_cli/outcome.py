"""`hitl submit`: read a request until it is on record and, with --wait, until it is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from hitl_approval.contract import EXECUTION_ENDED
from hitl_approval.domain.errors import ApprovalNotFound, InvalidRequest
from hitl_approval.domain.text import cut
from hitl_approval_cli import approval_tables, clock, output
from hitl_approval_cli.connection import Connection
from hitl_approval_cli.errors import CliError, Exit, NotPermittedError, TransientError, interrupted

Record = dict[str, Any]
"""An approval, as the approval function answers."""

START_POLL_SECONDS = 0.5
POLL_SECONDS = 2.0
START_SECONDS = 90.0
"""For the workflow to write its request, whose own retries take a minute."""
MAX_FAILURES = 10
"""Reads in a row that may fail in passing."""
EXITS = {
    "approved": Exit.OK,
    "rejected": Exit.REJECTED,
    "timeout": Exit.TIMED_OUT,
    "cancelled": Exit.CANCELLED,
}


class NoRequestError(CliError):
    """The workflow has ended without a request, and why."""


class Watch:
    """One request that was just submitted."""

    def __init__(self, to: Connection, started: Mapping[str, Any]) -> None:
        self.deployment = to.deployment
        self.as_json = to.as_json
        self.approval_id: str = started["approval_id"]
        self.execution_arn: str = started["execution_arn"]
        self.on_record = False
        self.failures = 0

    def until_on_record(self, within: float = START_SECONDS) -> None:
        """Poll until the request is on record.

        Raises:
            NoRequestError: the workflow refused the request, or failed.
            NotPermittedError: the credentials may not read it.
            CliError: it is not known, within so many seconds, whether there is a request.
        """
        waited = 0.0
        with self._with_standing(), _line() as say:
            if output.err.is_terminal or not self.as_json:
                say("waiting until the request is on record, a few seconds")
            while not self._is_on_record():
                if waited >= within:
                    msg = f"the workflow has made no request within {within:.0f} s"
                    raise CliError(msg, code="NO_REQUEST")
                clock.pause(START_POLL_SECONDS)
                waited += START_POLL_SECONDS

    def until_decided(self) -> Record:
        """Poll until the request is decided; say on stderr how it stands."""
        with self._with_standing(), _line() as say:
            while True:
                if (record := self._check_status()) is not None:
                    if record["status"] != "pending":
                        return record
                    say(approval_tables.status_line(record))
                clock.pause(POLL_SECONDS)

    def _is_on_record(self) -> bool:
        refusal = (
            self._refusal()
        )  # before the record is read: a workflow that has ended has written
        try:
            self.on_record = self._check_status() is not None
        except CliError as error:
            if error.code != ApprovalNotFound.code:
                raise
            if refusal is not None:
                raise refusal from None
        return self.on_record

    def _check_status(self) -> Record | None:
        """The record, or None when reading failed in passing.

        Raises:
            CliError: there is none, or reading failed for good or too often.
        """
        try:
            record = self.deployment.call({"action": "get", "approval_id": self.approval_id})
        except TransientError:
            self.failures += 1
            if self.failures > MAX_FAILURES:
                raise
            return None
        except CliError:
            self.failures = 0
            raise
        self.failures = 0
        return record

    def _refusal(self) -> NoRequestError | None:
        """Why nothing will come; None while the workflow runs or cannot be seen."""
        try:
            execution = self.deployment.outcome(self.execution_arn)
        except (TransientError, NotPermittedError):
            return None
        except CliError as error:
            if error.code == "ResourceNotFoundException":  # accepted a moment ago
                return None
            raise
        if execution["Status"] not in EXECUTION_ENDED:
            return None
        details = {"approval_id": self.approval_id, "execution_arn": self.execution_arn}
        failure = execution.get("Error") or {}
        message = failure.get("ErrorMessage", "")
        if failure.get("ErrorType") == f"{InvalidRequest.__module__}.{InvalidRequest.__name__}":
            return NoRequestError(message, code=InvalidRequest.code, details=details)
        status = execution["Status"].lower().replace("_", " ")
        why = cut(message) if message else "its log says why"
        msg = f"the workflow has {status} without a request: {why}"
        return NoRequestError(msg, code="WORKFLOW", details=details)

    @contextmanager
    def _with_standing(self) -> Iterator[None]:
        """Say of what ends the polling that the request goes on, and where to see it."""
        try:
            yield
        except NoRequestError:
            raise
        except KeyboardInterrupt:
            raise interrupted(self._standing) from None
        except CliError as error:
            msg = f"{error}; {self._standing}"
            raise type(error)(msg, code=error.code, details=error.details) from error

    @property
    def _standing(self) -> str:
        stands = "stands" if self.on_record else "may stand"
        return f"the request {stands}: {self.deployment.command('status', self.approval_id)}"


def wait(to: Connection, watch: Watch) -> None:
    """Wait for the outcome and end the command with its exit status."""
    record = watch.until_decided()
    to.show(record, lambda: output.plain_error(approval_tables.status_line(record)))
    if EXITS[record["status"]]:
        raise typer.Exit(EXITS[record["status"]])


@contextmanager
def _line() -> Iterator[Callable[[str], None]]:
    """A line on stderr: one that changes in a terminal, a new one for each change elsewhere."""
    if output.err.is_terminal:
        with output.err.status("") as live:
            yield lambda text: live.update(output.safe(text))
        return
    said: list[str] = []

    def say(text: str) -> None:
        state, *rest = text.split(", ", 2)
        changing = [state, *rest[1:]]  # not the time left, which always changes
        if said != changing:
            said[:] = changing
            output.plain_error(text)

    yield say
