"""What a person sees: tables and sentences by rich; what a program sees: JSON."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

from hitl_approval.domain.request import CONTENT
from hitl_approval.domain.text import inert

WIDE = 100
"""Columns from which a terminal has room for whole ids and hashes."""
NARROW = 60
"""Columns below which a terminal has room for what and who only."""
SHORT_ID = 8
"""Characters of an id that a narrower terminal shows, more where two begin alike."""
STYLES = {
    "pending": "yellow",
    "requested": "yellow",
    "voted": "yellow",
    "approved": "bold green",
    "rejected": "bold red",
    "notification_failed": "bold red",
    "timeout": "magenta",
    "cancelled": "dim",
}

PIPED_WIDTH = 240
"""Columns when no terminal says how many it has: a program that reads tables wants them whole."""


def console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A terminal that shows what it is given: no colours by guess, no `:bomb:` for a picture."""
    return Console(stderr=stderr, width=width, highlight=False, emoji=False)


out = console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = console(stderr=True)


def now() -> datetime:
    """The current moment, UTC: the one place where this program asks for it."""
    return datetime.now(UTC)


def pause(seconds: float) -> None:
    """Wait before looking again: the one place where this program does, but for its local cloud."""
    time.sleep(seconds)


def json_line(value: Any) -> None:
    """One JSON value on one line."""
    print(json.dumps(value))  # noqa: T201  stdout is the product here, unwrapped and uncoloured


def safe(value: Any) -> str:
    """A stranger's text, inert in a terminal: no escapes, no direction marks, no markup."""
    return escape(inert("" if value is None else str(value)))


_URL = re.compile(r"https?://\S+")


def links(text: str) -> list[str]:
    """The URLs in a message."""
    return _URL.findall(inert(text))


def message(sent: Mapping[str, Any]) -> None:
    """A message as a person gets it, whole; no link is broken, so that a terminal opens it."""
    to = ", ".join(sent["to"])
    head = (local_time(sent["sent_at"]), sent["channel"], to)
    out.print(f"[dim]{safe('  '.join(head))}[/]", soft_wrap=True)
    out.print(f"[bold]{safe(sent['subject'])}[/]\n", soft_wrap=True)
    shown = Text(inert(sent["body"]).rstrip("\n"))
    for found in _URL.finditer(shown.plain):
        shown.stylize(Style(link=found[0], underline=True), *found.span())
    out.print(shown, soft_wrap=True)


def status(value: str) -> str:
    """A status or event in its colour."""
    return f"[{STYLES.get(value, 'default')}]{safe(value)}[/]"


def local_time(value: str | None) -> str:
    """A time on record in this machine's zone."""
    if not value:
        return ""
    return f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"


def time_left(expires_at: str) -> str:
    """How long there still is to decide."""
    left = datetime.fromisoformat(expires_at) - now()
    seconds = int(left.total_seconds())
    if seconds <= 0:
        return "expired"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit} left"
    return f"{seconds}s left"


def plain_error(line: str) -> None:
    """A message on stderr, inert, neither wrapped nor coloured."""
    err.print(inert(line), markup=False, soft_wrap=True)


def plain(text: str) -> None:
    """Text for a program, as it is."""
    print(text)  # noqa: T201  stdout is the product here


CHECKS = {"ok": "green", "wrong": "bold red", "unknown": "yellow"}


def check(state: str, name: str, found: str, fix: str) -> None:
    """One line of `hitl doctor`, and what to do."""
    out.print(f"[{CHECKS[state]}]{state:<8}[/] {safe(name)}: {safe(found)}", soft_wrap=True)
    if fix:
        out.print(f"         {safe(fix)}", style="dim", soft_wrap=True)


def stats(answer: Mapping[str, Any]) -> None:
    """How many approvals there are, and how long people take."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("STATUS")
    table.add_column("APPROVALS", justify="right")
    for name, count in answer["by_status"].items():
        table.add_row(status(name), str(count))
    out.print(table)
    taken = answer["decision_seconds"]
    if taken["p50"] is None:
        out.print("Nothing was decided by people.")
    else:
        p50, p95 = (_length(taken[share]) for share in ("p50", "p95"))
        out.print(f"Time to decision: half within {p50} (p50), nearly all within {p95} (p95)")


def _length(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def line(text: str) -> None:
    """One line on stdout, as it is."""
    out.print(inert(text), markup=False, soft_wrap=True)


def one_line(item: Mapping[str, Any]) -> str:
    """How an approval stands, its status first."""
    if item["status"] != "pending":
        return f"{item['status']} by {item['decided_by']} at {local_time(item['decided_at'])}"
    approvals = sum(vote["decision"] == "approved" for vote in item["votes"])
    needed = item["quorum_needed"]
    return f"pending, {time_left(item['expires_at'])}, {approvals} of {needed} approvals"


def approvals(
    items: Sequence[Mapping[str, Any]], wanted: str, more: str = "", nothing: str = ""
) -> None:
    """A page of approvals, and the command of the next one; `nothing` where there are none."""
    if items:
        _print(approvals_table(items, wanted))
    elif nothing and not more:
        line(nothing)
    else:
        out.print(f"No {wanted} approvals{' so far' if more else ''}.")
    if more:
        out.print(f"More: {safe(more)}", style="dim", soft_wrap=True)


def approvals_table(items: Sequence[Mapping[str, Any]], wanted: str) -> Table:
    """Approvals of one status."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    pending = wanted == "pending"
    last = "TO DECIDE" if pending else "DECIDED BY"
    ids = _ids([str(item["approval_id"]) for item in items])
    taken = max(map(len, ids), default=0)
    room = max(20, out.width - taken - len(last) - 6)  # 6: two spaces between the columns
    table.add_column("ID", no_wrap=True)  # enough of it for every command that takes one
    table.add_column("SUBJECT", no_wrap=True, overflow="ellipsis", max_width=room * 2 // 3)
    with_requester = out.width >= NARROW
    if with_requester:
        table.add_column("REQUESTER", no_wrap=True, overflow="ellipsis", max_width=room // 3)
    table.add_column(last, no_wrap=True, overflow="ellipsis")
    for shown_id, item in zip(ids, items, strict=True):
        table.add_row(
            safe(shown_id),
            safe(item.get("subject")),
            *([safe(item.get("requester"))] if with_requester else []),
            time_left(item["expires_at"]) if pending else safe(item.get("decided_by")),
        )
    return table


def _ids(whole: Sequence[str]) -> Sequence[str]:
    """Ids as there is room for: whole, or their first characters, which tell them apart."""
    if not out.is_terminal or out.width >= WIDE:
        return whole
    length = SHORT_ID
    while len({one[:length] for one in whole}) < len(set(whole)):
        length += 1
    return [one[:length] for one in whole]


def _print(table: Table) -> None:
    """A table; without blanks at the ends of its lines where it goes to a file or a program."""
    if out.is_terminal:
        out.print(table)
        return
    with out.capture() as captured:
        out.print(table)
    out.file.write("".join(f"{row.rstrip()}\n" for row in captured.get().splitlines()))


def arrived(item: Mapping[str, Any]) -> None:
    """One pending approval on one line."""
    left, who = time_left(item["expires_at"]), item["requester"]
    line(f"{item['approval_id']}  {left}  {item['subject']} ({who})")


def what_next(approval_id: str) -> None:
    """What to do about a pending approval."""
    short = safe(approval_id)
    out.print(f"\nhitl approve {short}\nhitl reject {short} -m ...", style="dim", soft_wrap=True)


def decided(answer: Mapping[str, Any]) -> None:
    """What became of a decision."""
    already = " already" if answer["already"] else ""
    if answer["status"] == "pending":
        by = f": {len(answer['votes'])} of {answer['quorum_needed']} approvals"
    else:
        by = f" by {safe(answer['decided_by'])}"
    out.print(
        f"{safe(answer['approval_id'])}{already} {status(answer['status'])}{by}"
        f" (workflow: {answer['workflow']})",
        soft_wrap=True,
    )


def approval(item: Mapping[str, Any]) -> None:
    """One approval, whole."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows: list[tuple[str, str]] = [
        ("Approval", safe(item["approval_id"])),
        ("Status", status(item["status"])),
        *((CONTENT[name].label, safe(item[name])) for name in CONTENT if item.get(name)),
    ]
    names = ", ".join(item["approvers"]) or "anyone with access"
    needed = item["quorum_needed"]
    rows += [
        ("Approvers", safe(names) + (f" ({needed} approvals needed)" if needed > 1 else "")),
        ("Created", local_time(item["created_at"])),
    ]
    if item["status"] == "pending":
        rows.append(
            ("Decide by", f"{local_time(item['expires_at'])} ({time_left(item['expires_at'])})")
        )
    else:
        rows += [
            ("Decided by", safe(item["decided_by"])),
            ("Decided at", local_time(item["decided_at"])),
            ("Comments", safe(item["comments"]) or "-"),
        ]
    for vote in item.get("votes", []):
        said = f": {safe(vote['comments'])}" if vote["comments"] else ""
        rows.append(
            (
                "Vote",
                f"{safe(vote['approver'])} ({vote['identity']}) {status(vote['decision'])}{said}",
            )
        )
    if item.get("challenge"):
        rows.append(("Code", f"{safe(item['challenge'])} (a personal link's page asks for it)"))
    if item.get("context"):
        rows.append(("Context", safe(json.dumps(item["context"], indent=2, ensure_ascii=False))))
    for label, value in rows:
        table.add_row(label, value)
    _print(table)


def history(trail: Mapping[str, Any]) -> None:
    """An audit trail, and what is wrong with it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    titles = ["#", "TIME", "EVENT", "ACTOR", "HOW KNOWN", "COMMENT", "HASH"]
    if out.width < WIDE:  # who did it matters more; --json has the hashes
        titles.remove("HASH")
    if out.width < NARROW:
        titles.remove("HOW KNOWN")
        titles.remove("COMMENT")
    whole = {"#", "HASH"} if out.width < NARROW else {"#", "TIME", "HASH"}
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in whole)
    for event in trail["events"]:
        details = event.get("details")
        said = details if isinstance(details, Mapping) else {}
        cells = {
            "#": safe(event["sequence"]),
            "TIME": _event_time(event.get("at")),
            "EVENT": status(str(event.get("event"))),
            "ACTOR": safe(event.get("actor")),
            "HOW KNOWN": safe(event.get("identity")),
            "COMMENT": safe(said.get("comments") or said.get("reason")),
            "HASH": safe(str(event.get("hash"))[:12]),
        }
        table.add_row(*(cells[title] for title in titles))
    _print(table)
    if trail["verified"]:
        out.print(f"[green]ok[/] {len(trail['events'])} events, chain verified")
    for finding in trail["findings"]:
        out.print(f"[bold red]tampered[/] event {finding['sequence']}: {safe(finding['problem'])}")


def _event_time(value: Any) -> str:
    """The time of an event as it is stored, whatever stands there."""
    try:
        return local_time(value)
    except (TypeError, ValueError):
        return safe(value)


def tampered(finding: Mapping[str, Any]) -> None:
    """What is wrong with one event of one approval."""
    out.print(
        f"[bold red]tampered[/] {safe(finding['approval_id'])} event {finding['sequence']}:"
        f" {safe(finding['problem'])}",
        soft_wrap=True,
    )
