"""`hitl audit verify`: whether trails and rows are as they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hitl_approval.adapters.kms import KmsSigner
from hitl_approval.contract import Audit, Env, Output
from hitl_approval.domain.agreement import examine
from hitl_approval.domain.audit import Finding
from hitl_approval.domain.errors import ApprovalNotFound
from hitl_approval.domain.salted import erased_of
from hitl_approval_cli import output
from hitl_approval_cli.archive import ArchiveReader, PinnedKey, Problem
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError, Exit, show_error, usage
from hitl_approval_cli.parameters import moment
from hitl_approval_cli.progress import bar
from hitl_approval_cli.records import Event, Records, batches
from hitl_approval_cli.short_ids import AMBIGUOUS_ID, whole_id


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
    archive: Annotated[
        str | None,
        typer.Option(help="Its archive's bucket. Default: what the stack's output says."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="The archive's public key, from `hitl audit key`. Default: the key in KMS."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Compare events since then with the archive: 30d, or 2026-01-31."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Compare events before then. Default: all.")
    ] = None,
) -> None:
    """Verify audit trails: each event, their order, the signatures, the rows and the archive.

    Names on stdout what has been changed, removed, inserted or moved, which field of a row is not
    what the trail says, and what cannot be read; the exit status is 1 then. With --json each
    finding is a line, and the last line is the summary. An event's signature costs a call of KMS.
    Where a row has expired, of an end cut off only that there is none is seen, unless there is an
    archive: it names a tail that was cut, a trail written anew, one removed as a whole, and what
    was removed from the archive. Its signatures are verified by KMS, or offline with --key.

    Values that were erased are counted, and are no finding where the record has gone.

    Example: hitl audit verify --all
    """
    if everything == bool(approval_ids):
        raise usage("name the approvals to verify, or pass --all")
    bucket = archive or to.deployment.find_output(Output.ARCHIVE_BUCKET_NAME)
    if bucket is None and (key or since or until):
        raise usage("the deployment has no archive: leave --key, --since and --until out")
    records = Records(to.deployment, signing_key)
    reader = _reader(to, bucket, key, moment(since), moment(until, "--until"))
    checked = Checked(to, records, reader)
    if everything:
        checked.everything()
    else:
        for approval_id in approval_ids or []:
            checked.one(approval_id)
    if checked.nothing:
        raise typer.Exit(Exit.FAILED)
    checked.close()


def _reader(
    to: Connection,
    bucket: str | None,
    key: Path | None,
    since: datetime | None,
    until: datetime | None,
) -> ArchiveReader | None:
    """What reads the archive; None where there is none."""
    if bucket is None:
        return None
    arn = None if key else to.deployment.output(Output.ARCHIVE_KEY_ARN)
    return ArchiveReader(
        deployment=to.deployment,
        bucket=bucket,
        name=to.deployment.output(Output.APPROVALS_TABLE_NAME),
        signer=PinnedKey(key)
        if key
        else KmsSigner(client=to.deployment.client("kms"), key_arn=str(arn)),
        since=since,
        until=until,
    )


class Checked:
    """What has been verified so far; says at once what is wrong."""

    def __init__(self, to: Connection, records: Records, archive: ArchiveReader | None) -> None:
        self.to = to
        self.records = records
        self.archive = archive
        self.approvals = self.events = self.findings = self.erased = 0
        self.unread = 0
        if archive is not None:
            for problem in archive.read():
                self._report_archived(problem)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to sum up: no id was any approval's, which has been said."""
        return bool(self.unread) and not self.approvals and not self.findings

    def one(self, given: str) -> None:
        """Verify one trail; an id that nothing has stops nothing."""
        approval_id = given
        try:
            approval_id = whole_id(self.to.deployment, given, gone=True)
            trail = self.records.trail(approval_id)
        except CliError as error:
            if error.code not in {ApprovalNotFound.code, AMBIGUOUS_ID}:
                raise
            if self.archive is not None and self.archive.knows(approval_id):
                self._compare(approval_id, ())
                return
            self.unread += 1
            show_error(error, as_json=self.to.as_json, about=approval_id)
            return
        self.approvals += 1
        self._count(trail.events)
        self._report(approval_id, trail.findings)
        self._compare(approval_id, trail.events)

    def _count(self, events: Sequence[Event]) -> None:
        self.events += len(events)
        self.erased += sum(map(erased_of, events))

    def _compare(self, approval_id: str, events: Sequence[Event]) -> None:
        if self.archive is None:
            return
        self._check(events)
        for problem in self.archive.problems(approval_id):
            self._report_archived(problem)

    def _check(self, events: Sequence[Event]) -> None:
        if self.archive is not None:
            for event in events:
                self.archive.check(event)

    def everything(self) -> None:
        """Verify every trail, and that every row has one; constant memory."""
        with bar("Verifying", "events", total=self.records.event_count) as advance:
            for trails in batches(self.records.trails()):
                ids = [str(trail[0][Audit.PARTITION_KEY]) for trail in trails]
                good = self._good(dict(zip(ids, trails, strict=True)))
                for approval_id, trail in zip(ids, trails, strict=True):
                    advance(len(trail))
                    self._count(trail)
                    self._check(trail)
                    # Not as it should be: read again, together, in case it came in pieces or
                    # something was written meanwhile.
                    if approval_id not in good or not all(map(self.records.signed, trail)):
                        self._report(approval_id, self.records.trail(approval_id).findings)
                    self.approvals += trail[0].get(Audit.SORT_KEY) == 1
            for ids in batches(self.records.ids()):
                for approval_id in sorted(set(ids) - self.records.begun(ids)):
                    self._check_there_is_one(approval_id)
        for problem in self.archive.problems() if self.archive else ():
            self._report_archived(problem)

    def close(self) -> None:
        """Say what it comes to; ends the command with 1 when something is wrong."""
        signatures = self.records.signer is not None
        summary = {
            "verified": not self.findings and not self.unread,
            "approvals": self.approvals,
            "events": self.events,
            "erased": self.erased,
            "findings": self.findings,
            "signatures": "verified" if signatures else "not checked",
            "archive_objects": None if self.archive is None else self.archive.objects,
        }
        parts = ["trails", "rows"] + ["signatures"] * signatures
        parts += ["archive"] * (self.archive is not None)
        what = f"{', '.join(parts[:-1])} and {parts[-1]}"
        sums = f"{output.count(self.approvals, 'approval')}, {output.count(self.events, 'event')}"
        word = "[green]ok[/]" if summary["verified"] else "[bold red]failed[/]"
        end = f"{what} verified" if summary["verified"] else output.count(self.findings, "finding")
        end += f"; {output.count(self.erased, 'value')} erased" if self.erased else ""
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

    def _report_archived(self, problem: Problem) -> None:
        self.findings += 1
        if problem.approval_id is not None:
            found = {
                "approval_id": problem.approval_id,
                "sequence": problem.sequence,
                "problem": problem.problem,
                "kind": problem.kind,
            }
            self.to.show(found, partial(_show_finding, found))
            return
        about = {
            "archive_object": problem.sequence,
            "problem": problem.problem,
            "kind": problem.kind,
        }
        line = f"[bold red]tampered[/] archive object {problem.sequence}: {problem.problem}"
        self.to.show(about, lambda: output.out.print(line, soft_wrap=True))


def _show_finding(finding: Mapping[str, Any]) -> None:
    """What is wrong with one event of one approval."""
    output.out.print(
        f"[bold red]tampered[/] {output.safe(finding['approval_id'])} event {finding['sequence']}:"
        f" {output.safe(finding['problem'])}",
        soft_wrap=True,
    )
