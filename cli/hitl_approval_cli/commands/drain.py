"""`hitl drain`: nothing waits any more, so that the stack can be deleted."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from hitl_approval.contract import EXECUTION_ENDED, Output
from hitl_approval.domain.errors import AlreadyDecided, ApprovalExpired, Forbidden
from hitl_approval_cli import clock, output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, TransientError, usage
from hitl_approval_cli.parameters import As, Message, Yes, os_user, seconds
from hitl_approval_cli.records import Records

CHECK_SECONDS: Final = 5
"""Between two checks: three calls or so, of the 15 a second that Lambda takes for executions."""
UNREAD: Final = 100
"""Decisions that their workflows have not read, of which the execution is read."""
_ALIVE: Final = ("RUNNING", "PAUSING", "PAUSED")
"""Statuses of an execution that deleting its function would have to wait for."""
_CLOSED: Final = {AlreadyDecided.code, ApprovalExpired.code}
"""Refusals that say the request is not open any more: somebody was faster."""


@dataclass(slots=True)
class Standing:
    """What still waits.

    Attributes:
        pending: requests that nobody has answered.
        unread: decisions that a workflow which still runs has not read.
        executions: executions of the workflow function that have not ended, paused ones included.
    """

    pending: list[str] = field(default_factory=list)
    unread: int = 0
    executions: int = 0

    def __bool__(self) -> bool:
        return bool(self.pending or self.unread or self.executions)

    def __str__(self) -> str:
        return (
            f"{output.count(len(self.pending), 'open request')}, "
            f"{output.count(self.unread, 'decision')} not read yet, "
            f"{output.count(self.executions, 'workflow')} running"
        )


@connected
def drain(
    to: Connection,
    *,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw what is open.")] = False,
    within: Annotated[
        str | None, typer.Option(help="Give up after 30m, 8h, 7d. Default: never.")
    ] = None,
    message: Message = "the deployment is removed",
    name: As = None,
    yes: Yes = False,
) -> None:
    """Wait until nothing waits: before the stack is deleted, and with it what executions need.

    Open requests are waited for or, after asking, withdrawn by one of the deployment's operators;
    decisions that workflows have not read and executions of the workflow function are waited for.
    Have nobody start new ones meanwhile. Nothing is deleted. With your own credentials it reads the
    approvals table and lists executions.

    Example: hitl drain --withdraw --as olga --within 5m
    """
    deadline = None
    if within is not None:
        deadline = clock.now() + timedelta(seconds=seconds(within, "--within"))
    who = {"approver": os_user() if name is None else name, "comments": message}
    standing, said = _standing(to.deployment), ""
    withdrawn: list[str] = []
    if withdraw and standing.pending and not yes and not _agreed(standing):
        output.err.print("Nothing was changed.")
        return
    while standing:
        if withdraw and standing.pending:
            withdrawn += [each for each in standing.pending if _withdraw(to.deployment, each, who)]
            standing = _standing(to.deployment)
            if not standing:
                break
        if deadline is not None and clock.now() >= deadline:
            details = asdict(standing)
            raise CliError(f"still waiting: {standing}", code="NOT_DRAINED", details=details)
        if str(standing) != said:
            said = str(standing)
            output.plain_error(said)
        clock.pause(CHECK_SECONDS)
        standing = _standing(to.deployment)
    answer = {"withdrawn": withdrawn, **asdict(standing)}
    to.show(answer, lambda: _show(withdrawn))


def _show(withdrawn: list[str]) -> None:
    for approval_id in withdrawn:
        output.out.print(f"{output.safe(approval_id)} is withdrawn")
    output.out.print("Nothing waits: the stack can be deleted.")


def _agreed(standing: Standing) -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise usage("not a terminal, so nobody can be asked: pass --yes")
    return typer.confirm(f"Withdraw {output.count(len(standing.pending), 'open request')}?")


def _withdraw(deployment: Deployment, approval_id: str, who: dict[str, str]) -> bool:
    try:
        deployment.call({"action": "cancel", "approval_id": approval_id, **who})
    except TransientError:
        return False  # it is tried again with the next check
    except CliError as error:
        if error.code in _CLOSED:
            return False
        if error.code == Forbidden.code:
            msg = f"{error}: pass --as with the name of one of the deployment's operators"
            raise CliError(msg, code=error.code, details=error.details) from error
        raise
    return True


def _standing(deployment: Deployment) -> Standing:
    pending = [
        item["approval_id"] for page in deployment.pages("pending") for item in page["approvals"]
    ]
    unread = Records(deployment).overdue("decided", before=clock.now(), limit=UNREAD)
    return Standing(
        pending,
        sum(_runs(deployment, approval_id) for approval_id in unread),
        _executions(deployment),
    )


def _runs(deployment: Deployment, approval_id: str) -> bool:
    """Whether an approval's execution still runs; one that Lambda has forgotten does not."""
    approval = deployment.call({"action": "get", "approval_id": approval_id})
    try:
        execution = deployment.outcome(approval["execution_arn"])
    except CliError as error:
        if error.code == "ResourceNotFoundException":
            return False
        raise
    return execution["Status"] not in EXECUTION_ENDED


def _executions(deployment: Deployment) -> int:
    wanted: dict[str, Any] = {
        "FunctionName": deployment.output(Output.WORKFLOW_FUNCTION_NAME),
        "Statuses": list(_ALIVE),
    }
    found = 0
    while True:
        with deployment.errors():
            page = deployment.client("lambda").list_durable_executions_by_function(**wanted)
        found += len(page["DurableExecutions"])
        if "NextMarker" not in page:
            return found
        wanted["Marker"] = page["NextMarker"]
