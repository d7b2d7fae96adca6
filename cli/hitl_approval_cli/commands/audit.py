"""`hitl audit ...`: verify and export the audit table itself, without asking who wrote it."""

from __future__ import annotations

import csv
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import typer

from hitl_approval.contract import Audit, Env
from hitl_approval.domain.agreement import examine
from hitl_approval.domain.audit import Finding
from hitl_approval.domain.text import cut, shown
from hitl_approval_cli import output as screen
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError, Exit, show_error, usage
from hitl_approval_cli.parameters import moment
from hitl_approval_cli.progress import bar
from hitl_approval_cli.records import Event, Records, batches

audit = typer.Typer(
    help="Verify and export the audit table, read with your own credentials (`grant_read` and"
    " `grant_read_audit`).",
    no_args_is_help=True,
)

Format = Literal["jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv")
COLUMNS = (
    "approval_id", "sequence", "event", "at", "actor", "identity", "content_digest", "details",
    "previous_hash", "hash", "signature",
)  # fmt: skip


@audit.command()
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


@audit.command()
@connected
def export(
    to: Connection,
    *,
    since: Annotated[
        str | None, typer.Option(help="Events since then: 30d, or 2026-01-31. Default: all.")
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help=f"{' or '.join(FORMATS)}; jsonl is exact.")
    ] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file. Default: stdout.")
    ] = None,
) -> None:
    """Export audit events, each with its hash and signature, as they are stored.

    A file appears when it is whole. In CSV a text that a spreadsheet would run as a formula gets a
    ' in front. With --json and -o the answer is {"events": ..., "file": ...}.

    Example: hitl audit export --since 30d --format csv -o audit.csv
    """
    if form not in FORMATS:
        raise usage(f"--format: must be one of {', '.join(FORMATS)}, got {shown(form)}")
    records = Records(to.deployment)
    events = records.events(since=moment(since))
    if output is None:
        if not _is_file(sys.stdout):  # the events themselves are what moves, or a reader's output
            _write(sys.stdout, form, events, lambda _: None)
            return
        with bar("Exporting", "events", total=records.event_count) as advance:
            _write(sys.stdout, form, events, advance)
        return
    unfinished = output.with_name(f"{output.name}.part")
    try:
        with (
            unfinished.open("w", encoding="utf-8", newline="") as file,
            bar("Exporting", "events", total=records.event_count) as advance,
        ):
            count = _write(file, form, events, advance)
        unfinished.replace(output)
    except OSError as error:
        raise usage(f"--output: {cut(str(output))}: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    answer = {"events": count, "file": str(output)}
    to.show(answer, lambda: screen.out.print(f"{count} events in {screen.safe(output)}"))


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
            if error.code != "APPROVAL_NOT_FOUND":
                raise
            self.unread += 1
            show_error(error, as_json=self.to.as_json, about=approval_id)
            return
        self.approvals += 1
        self.events += len(trail.events)
        self._tell(approval_id, trail.findings)

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
                        self._tell(approval_id, self.records.trail(approval_id).findings)
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
        sums = f"{self.approvals} approvals, {self.events} events"
        word = "[green]ok[/]" if summary["verified"] else "[bold red]failed[/]"
        end = f"{what} verified" if summary["verified"] else f"{self.findings} findings"
        self.to.show(summary, lambda: screen.out.print(f"{word} {sums}: {end}", soft_wrap=True))
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
            if error.code != "APPROVAL_NOT_FOUND":
                raise
            self._tell(approval_id, [Finding(1, "the whole trail is missing")])
            return
        if not trail.events:  # the findings of the others have been told
            self._tell(approval_id, trail.findings)

    def _tell(self, approval_id: str, findings: Any) -> None:
        self.findings += len(findings)
        for finding in findings:
            told = {
                "approval_id": approval_id,
                "sequence": finding.sequence,
                "problem": finding.problem,
            }
            self.to.show(told, partial(screen.tampered, told))


def _is_file(stream: IO[str]) -> bool:
    """Whether what is written goes into a file, and so nowhere near a bar on the screen."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _write(file: IO[str], form: str, events: Iterator[Event], advance: Any) -> int:
    count = 0
    table = csv.writer(file)
    if form == "csv":
        table.writerow(COLUMNS)
    for count, event in enumerate(events, start=1):  # noqa: B007  the last number is the answer
        if form == "csv":
            table.writerow([_cell(event, name) for name in COLUMNS])
        else:
            file.write(json.dumps(event) + "\n")
        advance(1)
    return count


def _cell(event: Mapping[str, Any], name: str) -> Any:
    value = event.get(name, "")
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value
