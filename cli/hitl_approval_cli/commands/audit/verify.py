"""`hitl audit verify`: whether trails and rows are as they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from hitl_approval.contract import Audit, Env
from hitl_approval.domain.agreement import examine
from hitl_approval.domain.audit import Finding
from hitl_approval.domain.errors import ApprovalNotFound
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError, Exit, show_error, usage
from hitl_approval_cli.progress import bar
from hitl_approval_cli.records import Event, Records, batches


@connected
def verify(
    to: Connection,
    *,
    approval_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID...]", help="The approvals to verify.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every approval there is.")] = False,
    signing_key: Annotated[
        str | None,
        typer.Option(
            envvar=Env.SIGNING_KEY_ARN,
            help="KMS key that must have signed each event. Default: what the stack's output says.",
        ),
    ] = None,
) -> None:
    """Verify audit trails: each event, their order, the signatures, and what each row says.

    Names on stdout what has been changed, removed, inserted or moved, which field of a row is not
    what the trail says, and what cannot be read; the exit status is 1 then. With --json each
    finding is a line, and the last line is the summary. An event's signature costs a call of KMS.
    Where a row has expired, of an end cut off only that there is none is seen.

    Example: hitl audit verify --all
    """
    if everything == bool(approval_ids):
        raise usage("name the approvals to verify, or pass --all")
    checked = Checked(to, Records(to.deployment, signing_key))
    if everything:
        checked.everything()
    else:
        for approval_id in approval_ids or []:
            checked.one(approval_id)
    checked.close()


class Checked:
    """What has been verified so far; says at once what is wrong."""

    def __init__(self, to: Connection, records: Records) -> None:
        self.to = to
        self.records = records
        self.approvals = self.events = self.findings = 0
        self.unread = 0

    def one(self, approval_id: str) -> None:
        """Verify one trail; an id that nothing has stops nothing."""
        try:
            trail = self.records.trail(approval_id)
        except CliError as error:
            if error.code != ApprovalNotFound.code:
                raise
            self.unread += 1
            show_error(error, as_json=self.to.as_json, about=approval_id)
            return
        self.approvals += 1
        self.events += len(trail.events)
        self._report(approval_id, trail.findings)

    def everything(self) -> None:
        """Verify every trail, and that every row has one; constant memory."""
        with bar("Verifying", "events", total=self.records.event_count) as advance:
            for trails in batches(self.records.trails()):
                ids = [str(trail[0][Audit.PARTITION_KEY]) for trail in trails]
                good = self._good(dict(zip(ids, trails, strict=True)))
                for approval_id, trail in zip(ids, trails, strict=True):
                    advance(len(trail))
                    self.events += len(trail)
                    # Not as it should be: read again, together, in case it came in pieces or
                    # something was written meanwhile.
                    if approval_id not in good or not all(map(self.records.signed, trail)):
                        self._report(approval_id, self.records.trail(approval_id).findings)
                    self.approvals += trail[0].get(Audit.SORT_KEY) == 1
            for ids in batches(self.records.ids()):
                for approval_id in sorted(set(ids) - self.records.begun(ids)):
                    self._check_there_is_one(approval_id)

    def close(self) -> None:
        """Say what it comes to; ends the command with 1 when something is wrong."""
        signatures = self.records.signer is not None
        summary = {
            "verified": not self.findings and not self.unread,
            "approvals": self.approvals,
            "events": self.events,
            "findings": self.findings,
            "signatures": "verified" if signatures else "not checked",
        }
        what = "trails, rows and signatures" if signatures else "trails and rows"
        sums = f"{output.count(self.approvals, 'approval')}, {output.count(self.events, 'event')}"
        word = "[green]ok[/]" if summary["verified"] else "[bold red]failed[/]"
        end = f"{what} verified" if summary["verified"] else output.count(self.findings, "finding")
        self.to.show(summary, lambda: output.out.print(f"{word} {sums}: {end}", soft_wrap=True))
        if not summary["verified"]:
            raise typer.Exit(Exit.FAILED)

    def _good(self, trails: Mapping[str, Sequence[Event]]) -> set[str]:
        """Which of these trails nothing is wrong with; one row in memory at a time."""
        gone = dict(trails)
        good = set()
        for approval_id, row in self.records.rows(trails):
            if not examine(gone.pop(approval_id), row):
                good.add(approval_id)
        return good | {i for i, trail in gone.items() if not examine(trail, None)}

    def _check_there_is_one(self, approval_id: str) -> None:
        try:
            trail = self.records.trail(approval_id)
        except CliError as error:  # the row has gone meanwhile
            if error.code != ApprovalNotFound.code:
                raise
            self._report(approval_id, [Finding(1, "the whole trail is missing")])
            return
        if not trail.events:  # the findings of the others have been shown
            self._report(approval_id, trail.findings)

    def _report(self, approval_id: str, findings: Any) -> None:
        self.findings += len(findings)
        for finding in findings:
            problem = {
                "approval_id": approval_id,
                "sequence": finding.sequence,
                "problem": finding.problem,
            }
            self.to.show(problem, partial(_show_finding, problem))


def _show_finding(finding: Mapping[str, Any]) -> None:
    """What is wrong with one event of one approval."""
    output.out.print(
        f"[bold red]tampered[/] {output.safe(finding['approval_id'])} event {finding['sequence']}:"
        f" {output.safe(finding['problem'])}",
        soft_wrap=True,
    )
