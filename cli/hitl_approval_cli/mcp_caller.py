"""Who asks by `hitl mcp`: the person at this machine, with the rights of their credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from hitl_approval.adapters.starting import no_request
from hitl_approval.contract import EXECUTION_ENDED, Output
from hitl_approval.domain.errors import ApprovalError, InvalidRequest
from hitl_approval.domain.link import entry_of
from hitl_approval.mcp.caller import Action, Started
from hitl_approval_cli import clock
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.named_people import check_named
from hitl_approval_cli.parameters import os_user

_TAKEN: Final = "DurableExecutionAlreadyStartedException"


@dataclass(frozen=True)
class DesktopCaller:
    """See `mcp.caller.Caller`.

    Attributes:
        deployment: that is asked.
        name: who asks; on record as declared, since nobody here vouches for it.
        by_session: whether they are who has signed in by `hitl login`, who withdraws as such.
    """

    deployment: Deployment
    name: str
    by_session: bool = False

    @classmethod
    def of(cls, deployment: Deployment, name: str | None) -> DesktopCaller:
        """Who asks: of this name, else who is signed in, else the system's user."""
        if name is not None:
            return cls(deployment, name)
        session = deployment.session
        if session is not None:
            return cls(deployment, session.name, by_session=True)
        return cls(deployment, os_user())

    def start(self, event: Mapping[str, Any], key: str | None) -> Started:
        """See `mcp.caller.Caller.start`."""
        check_named(self.deployment, event)
        try:
            started = self.deployment.submit(event, name=key)
        except CliError as error:
            if error.code == _TAKEN:
                rule = "was used for another request: choose a new one"
                raise InvalidRequest("idempotency_key", rule) from None
            raise _as_refusal(error) from error
        return Started(started["approval_id"], started["execution_arn"])

    def refusal(self, started: Started) -> ApprovalError | None:
        """See `mcp.caller.Caller.refusal`."""
        try:
            execution = self.deployment.outcome(started.execution_arn)
        except CliError:
            return None  # accepted a moment ago, or not to be asked with these credentials
        return no_request(execution) if execution["Status"] in EXECUTION_ENDED else None

    def act(self, action: Action, approval_id: str, comments: str = "") -> Mapping[str, Any]:
        """See `mcp.caller.Caller.act`."""
        payload = {"action": action, "approval_id": approval_id}
        if action == "cancel":
            said = {"comments": comments} if comments else {}
            payload |= said if self.by_session else {**said, "approver": self.name}
        with _refusals():
            return self.deployment.call(payload)

    def page_of(self, approval_id: str) -> str | None:
        """See `mcp.caller.Caller.page_of`."""
        with _refusals():
            found = self.deployment.find_output
            url = found(Output.PAGE_URL) if found(Output.SIGN_IN_ISSUER) else None
        return entry_of(url, approval_id)

    def pause(self, attempt: int) -> None:
        """See `mcp.caller.Caller.pause`."""
        clock.pause(min(0.1 * attempt, 1.0))


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns the command's own failures into refusals, which an agent is answered."""
    try:
        yield
    except CliError as error:
        raise _as_refusal(error) from error


def _as_refusal(error: CliError) -> ApprovalError:
    """Of the same code where the deployment has said it, else as something to try again."""
    said = {"code": error.code, "message": error.message, "details": error.details}
    return ApprovalError.from_dict({"error": said})
