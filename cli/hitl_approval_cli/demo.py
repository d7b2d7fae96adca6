"""The guided demo: one approval on the local cloud, step by step."""

from __future__ import annotations

import json
import os
import select
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from hitl_approval.contract import EXECUTION_ENDED, EXECUTION_PAUSED
from hitl_approval.domain.errors import AlreadyDecided, ApprovalExpired
from hitl_approval_cli import approval_tables, clock, output
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.messages import links, show_message

Choice = Literal["approve", "reject", "timeout"]
Inbox = Callable[[], list[dict[str, Any]]]
"""All messages that the cloud has sent until now."""

APPROVERS = ("ann@example.com", "bob@example.com")
CONTEXT = {"approvers": ",".join(APPROVERS), "deliver_to": ",".join(APPROVERS)}
"""Deployed with it, both are mailed links of their own."""
DOCUMENT = {
    "document_id": "doc-123",
    "document_name": "Q4 Budget Proposal",
    "requester": "user@example.com",
}
"""The public pattern's document."""
PATIENCE = 60.0
"""Seconds to wait for a message or a result before saying that something is wrong."""
TIMEOUT_SECONDS = {"approve": 300, "reject": 300, "timeout": 10, None: 600}
"""Time to decide: short where it is to pass, ten minutes for a person."""
CHECK_SECONDS = 0.5
"""Between two checks whether somebody has decided on the page."""
_DECISIONS = {"approve": "approved", "reject": "rejected"}
_COMMENTS = {"approve": "Looks good, approved", "reject": "Needs revision"}


def play(deployment: Deployment, choice: Choice | None, inbox: Inbox) -> None:
    """Submit, notify, decide, resume, show; `choice` decides where nobody is there to."""
    _title("1. A workflow requests an approval")
    event = DOCUMENT | {"timeout_seconds": TIMEOUT_SECONDS[choice]}
    output.out.print(json.dumps(event), style="dim")
    started = deployment.submit(event)
    approval_id = started["approval_id"]
    output.out.print(f"The workflow is suspended. Approval [bold]{approval_id}[/]")

    _title("2. The approvers are notified")
    ann = APPROVERS[0]
    mail = _mail_to(ann, approval_id, inbox, deployment, started["execution_arn"])
    if mail is not None:
        show_message(mail)
        output.out.print(f"\n{', '.join(APPROVERS[1:])} has a link of his own; {ann} is you.")
    else:
        output.out.print("The time to decide was over before a message left.")

    _title("3. A person decides")
    if mail is not None:
        _take_decision(deployment, approval_id, choice, mail)
    _show_decision(deployment.call({"action": "get", "approval_id": approval_id}))

    _title("4. The workflow resumes and ends")
    output.out.print_json(json.dumps(_result(deployment, started["execution_arn"])))

    _title("5. The audit trail")
    approval_tables.history(deployment.call({"action": "history", "approval_id": approval_id}))


def _take_decision(
    deployment: Deployment, approval_id: str, choice: Choice | None, mail: Mapping[str, Any]
) -> None:
    if choice is None:
        _let_decide(deployment, approval_id, links(mail["body"])[0])
    elif choice == "timeout":
        seconds = TIMEOUT_SECONDS[choice]
        output.out.print(f"Nobody answers for {seconds} seconds ...")
        _await(deployment, approval_id, seconds + PATIENCE)
    else:
        _decide(deployment, approval_id, choice)


def _title(text: str) -> None:
    output.out.print(f"\n[bold cyan]{text}[/]")


def _let_decide(deployment: Deployment, approval_id: str, link: str) -> None:
    """Take the decision from the page or the keyboard, whichever comes first."""
    output.out.print(
        "Open the link above, or answer here within 10 minutes:\n"
        "[bold]a[/] approve   [bold]r[/] reject   [bold]o[/] open the link in a browser"
    )
    words: Mapping[str, Choice] = {
        "a": "approve", "approve": "approve", "r": "reject", "reject": "reject",
    }  # fmt: skip
    lines = _typed()
    while _is_pending(deployment, approval_id):
        typed = next(lines, None)
        if typed is None:
            continue
        word = typed.strip().lower()
        if word in words:
            _decide(deployment, approval_id, words[word])
        elif word in {"o", "open"}:
            if not webbrowser.open(link):
                output.err.print("There is no browser here: open the link by hand.")
        else:
            output.err.print("Please type a, r or o.")


def _typed() -> Iterator[str | None]:
    """Lines from the keyboard; None where for a moment there was none."""
    rest, keyboard = b"", sys.stdin.fileno()
    open_ = True
    while True:
        if not open_:  # Ctrl-D: the page can still decide
            clock.pause(CHECK_SECONDS)
        elif select.select([keyboard], [], [], CHECK_SECONDS)[0]:
            read = os.read(keyboard, 4096)
            open_ = bool(read)
            *whole, rest = (rest + read).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
        yield None


def _decide(deployment: Deployment, approval_id: str, choice: Choice) -> None:
    try:
        deployment.call(
            {
                "action": "decide",
                "approval_id": approval_id,
                "decision": _DECISIONS[choice],
                "approver": APPROVERS[0],
                "comments": _COMMENTS[choice],
            }
        )
    except CliError as error:
        # Somebody was faster, on the page, or time is over: what is on record counts.
        if error.code not in {AlreadyDecided.code, ApprovalExpired.code}:
            raise
        output.plain_error(error.message)


def _is_pending(deployment: Deployment, approval_id: str) -> bool:
    answer = deployment.call({"action": "get", "approval_id": approval_id})
    return bool(answer["status"] == "pending")


def _await(deployment: Deployment, approval_id: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while _is_pending(deployment, approval_id):
        if time.monotonic() > deadline:
            msg = f"the request was still open after {patience:.0f} seconds"
            raise CliError(msg, code="WORKFLOW")
        clock.pause(CHECK_SECONDS)


def _show_decision(record: Mapping[str, Any]) -> None:
    """Who has decided, if anybody has."""
    if record["status"] == "timeout":
        output.out.print("Nobody answered in time.")
    else:
        said = f": {output.safe(record['comments'])}" if record["comments"] else ""
        output.out.print(
            f"{output.safe(record['decided_by'])}: {output.status(record['status'])}{said}"
        )


def _result(deployment: Deployment, execution_arn: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        execution = deployment.outcome(execution_arn)
        if execution["Status"] in EXECUTION_ENDED:
            if execution["Status"] != "SUCCEEDED":
                raise CliError(_failed(execution), code="WORKFLOW")
            answer: dict[str, Any] = json.loads(execution["Result"])
            return {**answer, "body": json.loads(answer["body"])}
        clock.pause(0.1)
    state = "paused" if execution["Status"] in EXECUTION_PAUSED else "running"
    msg = f"the workflow is still {state} after {PATIENCE:.0f} seconds"
    raise CliError(msg, code="WORKFLOW")


def _failed(execution: Mapping[str, Any]) -> str:
    reason = execution.get("Error", {}).get("ErrorMessage", "")
    return f"the workflow has {execution['Status'].lower()}" + (f": {reason}" if reason else "")


def _mail_to(
    name: str, approval_id: str, inbox: Inbox, deployment: Deployment, execution_arn: str
) -> dict[str, Any] | None:
    """The first message to `name`; None where the workflow has succeeded and none was sent."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        execution = deployment.outcome(execution_arn)
        for message in inbox():
            if name in message["to"] and approval_id in message["body"]:
                return message
        if execution["Status"] == "SUCCEEDED":
            return None
        if execution["Status"] in EXECUTION_ENDED:
            raise CliError(_failed(execution), code="WORKFLOW")
        clock.pause(0.1)
    msg = f"no notification came within {PATIENCE:.0f} seconds"
    raise CliError(msg, code="NOTIFICATION")
