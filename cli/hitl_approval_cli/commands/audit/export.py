"""`hitl audit export`: the events as they are stored, as JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Annotated, Any, Literal

import typer

from hitl_approval.domain.text import cut, shown
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import moment
from hitl_approval_cli.progress import bar
from hitl_approval_cli.records import Event, Records

Format = Literal["jsonl", "csv"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv")
COLUMNS = (
    "approval_id", "sequence", "event", "at", "actor", "identity", "content_digest", "details",
    "previous_hash", "hash", "signature", "salts", "digests", "erased_at",
)  # fmt: skip


@connected
def export(
    to: Connection,
    *,
    since: Annotated[
        str | None, typer.Option(help="Events since then: 30d, or 2026-01-31. Default: all.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Events before then. Default: all.")] = None,
    form: Annotated[
        str, typer.Option("--format", help=f"{' or '.join(FORMATS)}; jsonl is exact.")
    ] = "jsonl",
    file: Annotated[
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
    events = records.events(since=moment(since), until=moment(until, "--until"))
    if file is None:
        if not _is_file(sys.stdout):  # the events themselves are what moves, or a reader's output
            _write(sys.stdout, form, events, lambda _: None)
            return
        with bar("Exporting", "events", total=records.event_count) as advance:
            _write(sys.stdout, form, events, advance)
        return
    unfinished: Path | None = None
    try:
        # A name that nobody can foresee, made anew: where others may write, too, a link of theirs
        # under a known one would lead elsewhere.
        handle, name = mkstemp(dir=file.parent, prefix=f".{file.name[:50]}.", suffix=".part")
        unfinished = Path(name)
        with (
            open(handle, "w", encoding="utf-8", newline="") as part,  # noqa: PTH123  a descriptor
            bar("Exporting", "events", total=records.event_count) as advance,
        ):
            count = _write(part, form, events, advance)
        unfinished.replace(file)
    except OSError as error:
        raise usage(f"--output: {cut(str(file))}: {error.strerror}") from None
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)
    answer = {"events": count, "file": str(file)}
    to.show(
        answer, lambda: output.out.print(f"{output.count(count, 'event')} in {output.safe(file)}")
    )


def _is_file(stream: IO[str]) -> bool:
    """Whether what is written goes into a file, and so nowhere near a bar on the output."""
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
