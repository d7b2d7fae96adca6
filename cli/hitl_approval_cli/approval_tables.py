"""Approvals as a person sees them: tables, and how one stands in a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.table import Table

from hitl_approval.contract import MessageKind
from hitl_approval.domain.edit import CHANGES
from hitl_approval.domain.files import file_in_words
from hitl_approval.domain.request import CONTENT
from hitl_approval.domain.salted import erased_of
from hitl_approval.domain.text import MAX_LISTED, inert, listed, listed_some
from hitl_approval.domain.trail_words import actor_in_words, in_words
from hitl_approval.usecases.decide import Workflow
from hitl_approval_cli import output, turn_rows
from hitl_approval_cli.times import age, local_time, time_left
from hitl_approval_cli.values import filled_in, rows_of

WIDE = 100
"""Columns from which a terminal has room for whole ids and hashes."""
NARROW = 60
"""Columns below which a terminal has room for what and who only."""
LEAST = 12
"""Columns that a subject has in any terminal."""
SHORT_ID = 8
"""Characters of an id that a narrower terminal shows, more where two begin alike."""


def status_line(item: Mapping[str, Any]) -> str:
    """How an approval stands, its status first."""
    if item["status"] != "pending":
        return f"{item['status']} by {item['decided_by']} at {local_time(item['decided_at'])}"
    return f"pending, {time_left(item['expires_at'])}, {_answers(item)}"


def _answers(item: Mapping[str, Any]) -> str:
    """Who has answered and who can still answer, which after the expiry is nobody."""
    so_far, _, _ = item["standing"].partition(";")
    return str(so_far if time_left(item["expires_at"]) == "expired" else item["standing"])


def approvals(
    items: Sequence[Mapping[str, Any]],
    wanted: str,
    nothing: str = "",
    more: str = "",
    *,
    ages: bool = False,
) -> None:
    """A page of approvals, and the command of the next one; `nothing` where there are none."""
    if items:
        output.print_table(approvals_table(items, wanted, ages=ages))
    else:
        output.line(nothing)
    if more:
        output.out.print(f"More: {output.safe(more)}", style="dim", soft_wrap=True)


def approvals_table(
    items: Sequence[Mapping[str, Any]], wanted: str, *, ages: bool = False
) -> Table:
    """Approvals of one status: ids and times whole, the rest as far as there is room.

    With `ages` how old each is stands in the requester's place.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    pending = wanted == "pending"
    ids = _ids([str(item["approval_id"]) for item in items])
    subjects = [_for_whom(item) + _text(item.get("subject")) for item in items]
    requesters = [_text(item.get("requester")) for item in items]
    if ages:
        requesters = [age(item["created_at"]) for item in items]
    second = "AGE" if ages else "REQUESTER"
    last = [
        time_left(item["expires_at"]) if pending else _text(item.get("decided_by"))
        for item in items
    ]
    with_requester = ages or output.out.width >= NARROW
    for_id = _widest("ID", ids)
    for_last = _widest("TO DECIDE" if pending else "DECIDED BY", last)
    if not pending:  # a name, which may be long
        for_last = min(for_last, max(len("DECIDED BY"), output.out.width // 4))
    gaps = 2 * (3 if with_requester else 2)
    room = max(LEAST, output.out.width - for_id - for_last - gaps)
    for_requester = min(room // 3, _widest(second, requesters)) if with_requester else 0
    _add_column(table, "ID", for_id)  # enough of it for every command that takes one
    _add_column(table, "SUBJECT", min(room - for_requester, _widest("SUBJECT", subjects)))
    if with_requester:
        _add_column(table, second, for_requester)
    _add_column(table, "TO DECIDE" if pending else "DECIDED BY", for_last)
    for shown_id, subject, requester, end in zip(ids, subjects, requesters, last, strict=True):
        cells = (shown_id, subject, *([requester] if with_requester else []), end)
        table.add_row(*map(output.safe, cells))
    return table


def _for_whom(item: Mapping[str, Any]) -> str:
    """In whose place it awaits an answer, where that is another's."""
    place = item.get("on_behalf_of")
    return f"(for {_text(place)}) " if place else ""


def _text(value: Any) -> str:
    return inert("" if value is None else str(value))


def _widest(title: str, cells: Sequence[str]) -> int:
    return max(map(cell_len, (title, *cells)))


def _add_column(table: Table, title: str, width: int) -> None:
    table.add_column(title, no_wrap=True, overflow="ellipsis", min_width=width, max_width=width)


def _ids(whole: Sequence[str]) -> Sequence[str]:
    """Ids as there is room for: whole, or their first characters, which tell them apart."""
    if not output.out.is_terminal or output.out.width >= WIDE:
        return whole
    length = SHORT_ID
    while len({one[:length] for one in whole}) < len(set(whole)):
        length += 1
    return [one[:length] for one in whole]


WORKFLOW: Mapping[Workflow, str] = {
    "resumed": "the workflow resumes",
    "already_running": "the workflow runs already",
    "delayed": "the workflow was not reached and will resume within minutes",
    "polling": "the workflow reads it at its next poll",
    "waiting": "the workflow waits",
    "ended": "this is on record, but the workflow that asked has ended and will not act on it",
}
"""What became of the workflow, for people."""


def decided(answer: Mapping[str, Any]) -> None:
    """What became of a decision, and of the workflow that waits for it."""
    already = " already" if answer["already"] else ""
    if answer["status"] == "pending":
        by = f": {output.safe(answer['standing'])}"
    else:
        by = f" by {output.safe(_by(answer))}"
    workflow: Workflow = answer["workflow"]
    output.out.print(
        f"{output.safe(answer['approval_id'])}{already} {output.status(answer['status'])}{by};"
        f" {WORKFLOW[workflow]}",
        soft_wrap=True,
    )


def _by(answer: Mapping[str, Any]) -> str:
    """Who has decided, and for whom where they stood in."""
    name = str(answer["decided_by"])
    places = {vote["approver"]: vote.get("on_behalf_of") for vote in answer["votes"]}
    return f"{name} for {place}" if (place := places.get(name)) else name


def approval(item: Mapping[str, Any]) -> int:
    """One approval, whole; returns how many lines it takes."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows: list[tuple[str, str]] = [
        ("Approval", output.safe(item["approval_id"])),
        ("Status", output.status(item["status"])),
        *((CONTENT[name].label, output.safe(item[name])) for name in CONTENT if item.get(name)),
    ]
    rows += [("File", output.safe(file_in_words(file))) for file in item.get("files", [])]
    names = listed_some(item["approvers"]) or "anyone with access"
    needed = item["quorum_needed"]
    rows += [
        ("Approvers", output.safe(names) + (f" ({needed} approvals needed)" if needed > 1 else "")),
        ("Created", local_time(item["created_at"])),
    ]
    if (rule := item.get("rule", {}).get("id")) is not None:
        rows.append(("Rule", output.safe(rule)))
    if item["status"] == "pending":
        rows.append(
            ("Decide by", f"{local_time(item['expires_at'])} ({time_left(item['expires_at'])})")
        )
        rows.append(("Answers", output.safe(_answers(item))))
    else:
        rows += [
            ("Decided by", output.safe(item["decided_by"])),
            ("Decided at", local_time(item["decided_at"])),
            ("Comments", output.safe(item["comments"]) or "-"),
        ]
    rows += turn_rows.rows(item)
    if item.get("superseded_by"):
        rows.append(("Replaced by", output.safe(item["superseded_by"])))
    votes, messages = item.get("votes", []), item.get("messages", [])
    if (more := len(votes) - MAX_LISTED) > 0:
        rows.append(("Votes", f"{more} more before these: --json has them all"))
    for vote in votes[-MAX_LISTED:]:
        place = f" for {output.safe(p)}" if (p := vote.get("on_behalf_of")) else ""
        who = f"{output.safe(vote['approver'])}{place} ({output.safe(vote['identity'])})"
        said = f": {output.safe(vote['comments'])}" if vote["comments"] else ""
        given = filled_in(vote)
        said += f"\n{output.safe(given)}" if given else ""
        rows.append(("Vote", f"{who} {output.status(vote['decision'])}{said}"))
    rows += [_comment_row(comment) for comment in item.get("thread", [])]
    rows += [_message_row(message) for message in messages[:MAX_LISTED]]
    if (more := len(messages) - MAX_LISTED) > 0:
        rows.append(("Messages", f"{more} more: --json has them all"))
    if item.get("challenge"):
        rows.append(
            ("Code", f"{output.safe(item['challenge'])} (to be typed on a personal link's page)")
        )
    if item.get("context"):
        rows.append(
            ("Context", output.safe(json.dumps(item["context"], indent=2, ensure_ascii=False)))
        )
    rows += [(label, output.safe(said)) for label, said in rows_of(item)]
    if item.get("sensitive"):
        rows.append(("Masked", f"{output.safe(listed(item['sensitive']))} (in messages)"))
    for label, value in rows:
        table.add_row(label, value)
    output.print_table(table)
    return len(output.out.render_lines(table, pad=False))


_MESSAGES: Mapping[MessageKind, str] = {
    "requested": "request",
    "changed": "request once more",
    "reminder": "reminder",
    "question": "question",
    "answer": "answer",
    "released": '"no longer yours"',
    "outcome": "outcome",
    "expired": "expiry",
    "withdrawn": "withdrawal",
}


def _comment_row(comment: Mapping[str, Any]) -> tuple[str, str]:
    """What somebody said about a request; a question with the number that answers name."""
    who = f"{output.safe(comment['author'])} ({output.safe(comment['identity'])})"
    said = f"{who} at {local_time(comment['at'])}: {output.safe(comment['comments'])}"
    if comment["question"]:
        return f"Question {comment['sequence']}", said
    if comment["answers"] is not None:
        return f"Answer to {comment['answers']}", said
    return "Comment", said


def _message_row(message: Mapping[str, Any]) -> tuple[str, str]:
    """What became of one message to one person."""
    kind: MessageKind = message["kind"]
    to = f"{_MESSAGES[kind]} to {output.safe(message['recipient'])}"
    why = f": {output.safe(message['reason'])}" if message["reason"] else ""
    match message["state"]:
        case "sent":
            return "Sent", f"{to} at {local_time(message['sent_at'])} by {message['channel']}"
        case "void":
            return "Not needed", f"{to}{why}"
        case "open":
            following = local_time(message["next_try_at"])
            if not message["attempts"]:  # taken up again: what it failed by was before
                return "Being sent", f"{to}, from {following} on"
            return "Being sent", f"{to}, {_tries(message)}, the next at {following}{why}"
        case _:
            return "Not sent", f"{to}, {_tries(message)}{why}"


def _tries(message: Mapping[str, Any]) -> str:
    count = message["attempts"]
    return "1 try" if count == 1 else f"{count} tries"


def history(trail: Mapping[str, Any]) -> None:
    """An audit trail, and what is wrong with it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    titles = ["#", "TIME", "EVENT", "ACTOR", "HOW KNOWN", "COMMENT", "HASH"]
    if output.out.width < WIDE:  # who did it matters more; --json has the hashes
        titles.remove("HASH")
    if output.out.width < NARROW:
        titles.remove("HOW KNOWN")
        titles.remove("COMMENT")
    whole = {"#", "HASH"} if output.out.width < NARROW else {"#", "TIME", "HASH"}
    for title in titles:
        table.add_column(title, overflow="fold", no_wrap=title in whole)
    for event in trail["events"]:
        details = event.get("details")
        said = details if isinstance(details, Mapping) else {}
        cells = {
            "#": output.safe(event["sequence"]),
            "TIME": _event_time(event.get("at")),
            "EVENT": output.status(str(event.get("event"))),
            "ACTOR": output.safe(actor_in_words(event)),
            "HOW KNOWN": output.safe(event.get("identity")),
            "COMMENT": output.safe(in_words(event) or _event_comment(said)),
            "HASH": output.safe(str(event.get("hash"))[:12]),
        }
        table.add_row(*(cells[title] for title in titles))
    output.print_table(table)
    if trail["verified"]:
        erased = sum(map(erased_of, trail["events"]))
        gone = f"; {output.count(erased, 'value')} erased" if erased else ""
        output.out.print(
            f"[green]ok[/] {output.count(len(trail['events']), 'event')}, chain verified{gone}"
        )
    for finding in trail["findings"]:
        output.out.print(
            f"[bold red]tampered[/] event {finding['sequence']}: {output.safe(finding['problem'])}"
        )


def _event_comment(said: Mapping[str, Any]) -> str:
    """What was said at an event, and what was changed by it."""
    words = [said.get("comments") or said.get("reason") or ""]
    changes = said.get(CHANGES)
    if isinstance(changes, Mapping) and changes:
        words.append(f"changed {listed(map(str, changes))}")
    return "; ".join(str(each) for each in words if each)


def _event_time(value: Any) -> str:
    """The time of an event as it is stored, whatever stands there."""
    try:
        return local_time(value)
    except (TypeError, ValueError):
        return output.safe(value)
