"""Whether a record agrees with its audit trail, which is what counts.

The trail determines the record: who asked for what, who voted, how it ended. Events are taken as
they are stored, whatever stands in them: what cannot be read is wrong and never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hitl_approval.contract import Audit
from hitl_approval.domain.approval import Approval, digest_content
from hitl_approval.domain.audit import Finding, isoformat, verify
from hitl_approval.domain.errors import UnreadableRecord
from hitl_approval.domain.text import person_key, shown, spelling
from hitl_approval.domain.view import vote_view

ENDS = frozenset({"approved", "rejected", "timeout", "cancelled"})
"""Events that end an approval; each is also the status that it has from then on."""

Event = Mapping[str, Any]
Row = Approval | UnreadableRecord | None
"""A row, why it cannot be read, or None where there is none (any more)."""


def altered_end(approval: Approval, events: Sequence[Event]) -> list[str]:
    """What a record that has ended says otherwise than its trail.

    The whole trail counts: who changes a pending row gets the next event written by a function of
    the deployment, and then the last event agrees with the row.

    Returns:
        The names of its fields, `audit_hash` for the trail itself; empty when all is well.
    """
    if not events:
        return ["audit_hash"]
    sound = not verify(events, approval.audit_head) and not _other_content(events)
    compared = [*_asked(approval, events[0]), *_compared(approval, events)]
    wrong = [] if sound else ["audit_hash"]
    return wrong + [name for name, row, trail in compared if row != trail]


def examine(events: Sequence[Event], row: Row) -> list[Finding]:
    """Check a trail against itself, and its row against what the trail determines of it.

    Args:
        events: what `AuditEvent.to_dict` wrote, as stored, oldest first.
        row: the record; None when it has expired, and then an end of the trail that was cut off
            is seen only if it leaves the trail without one.

    Returns:
        Every change, removal, insertion or reordering that can be seen; empty when all is well.
    """
    if not events:
        return [] if row is None else [Finding(1, "the whole trail is missing")]
    findings = verify(events, row.audit_head if isinstance(row, Approval) else None)
    last = len(events)
    ended = [number for number, event in enumerate(events, start=1) if _name(event) in ENDS]
    findings += [Finding(number + 1, "follows the end") for number in ended if number < last]
    findings += [Finding(n, "is about another content") for n in _other_content(events)]
    if isinstance(row, UnreadableRecord):
        findings.append(Finding(last, f"the row cannot be read: {row.problem}"))
    elif row is not None:
        findings += [
            Finding(last, f"the row's {name} is {shown(is_)}, the trail says {shown(was)}")
            for name, is_, was in [*_asked(row, events[0]), *_compared(row, events)]
            if is_ != was
        ]
    elif not ended:
        findings.append(Finding(last, "the row is gone, and no event says how it ended"))
    return findings


def _other_content(events: Sequence[Event]) -> list[int]:
    """Numbers of the events that are about another content than the first: none ever changes."""
    asked = events[0].get("content_digest")
    return [n for n, event in enumerate(events, start=1) if event.get("content_digest") != asked]


def _asked(approval: Approval, first: Event) -> list[tuple[str, Any, Any]]:
    details = _details(first)
    return [
        ("requester", approval.requester, first.get("actor")),
        ("created_at", isoformat(approval.created_at), first.get("at")),
        ("execution_arn", approval.execution_arn, details.get("execution_arn")),
    ]


def _compared(approval: Approval, events: Sequence[Event]) -> list[tuple[str, Any, Any]]:
    """Field, what the row says, what its trail says."""
    last = events[-1]
    ended = _name(last) in ENDS
    at = isoformat(approval.decided_at) if approval.decided_at else None
    votes, turn, expires_at = _replayed(events)
    cast = [vote_view(vote) for vote in approval.votes]
    if len(events) < approval.audit_sequence:  # an end by silence or withdrawal has no vote
        cast = cast[len(cast) - len(votes) :]
    digest = last.get("content_digest")
    return [
        ("status", approval.status, _name(last) if ended else "pending"),
        ("decided_by", approval.decided_by, last.get("actor") if ended else None),
        ("decided_at", at, last.get("at") if ended else None),
        ("comments", approval.comments, _details(last).get("comments", "") if ended else ""),
        ("votes", cast, votes),
        ("turn", approval.turn.to_dict(), turn),
        ("expires_at", isoformat(approval.expires_at), expires_at),
        ("content_digest", approval.content_digest, digest),
        ("content", digest_content(approval), digest),
    ]


def _replayed(events: Sequence[Event]) -> tuple[list[dict[str, Any]], dict[str, Any], Any]:
    """The votes, whose turn it is and the expiry, as a trail says them, event by event."""
    votes: list[dict[str, Any]] = []
    turn: dict[str, Any] = {}
    expires_at = None
    for event in events:
        details, name = _details(event), _name(event)
        expires_at = details.get("expires_at", expires_at)
        if "decision" in details:
            votes.append(_vote(event))
        if name == "retracted":
            votes = [vote for vote in votes if not _is_by(vote, event)]
        elif name == "stage_opened":
            turn = {
                "stage": details.get("stage"),
                "since": event.get(Audit.SORT_KEY),
                "opened_at": event.get("at"),
                "passed": [*turn.get("passed", []), len(votes)],
            }
        elif name == "escalated":
            turn = {**turn, "escalations": details.get("escalation")}
        elif name == "reassigned":
            turn = _handed_over(turn, details)
    return votes, turn, expires_at


def _is_by(vote: Mapping[str, Any], event: Event) -> bool:
    return spelling(str(vote["approver"])) == spelling(str(event.get("actor")))


def _handed_over(turn: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    """Whose turn it is after one has given their place to another."""
    before = turn.get("handed_over", [])
    giver, to = str(details.get("from")), details.get("to")
    taker = to[0] if isinstance(to, list | tuple) and to else None
    places = {person_key(str(other)): one for one, other in before}
    place = places.get(person_key(giver), giver)
    after = [each for each in before if each[0] != place]
    if spelling(str(place)) != spelling(str(taker)):
        after.append([place, taker])
    rest = {name: value for name, value in turn.items() if name != "handed_over"}
    return {**rest, **({"handed_over": after} if after else {})}


def _vote(event: Event) -> dict[str, Any]:
    details = _details(event)
    return {
        "approver": event.get("actor"),
        "identity": event.get("identity"),
        "decision": details.get("decision"),
        "comments": details.get("comments"),
        "at": event.get("at"),
    }


def _name(event: Event) -> str:
    return str(event.get("event"))


def _details(event: Event) -> Mapping[str, Any]:
    details = event.get("details")
    return details if isinstance(details, Mapping) else {}
