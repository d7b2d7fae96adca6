"""Whether a record agrees with its audit trail, which is what counts.

The trail determines the record: who asked for what, who voted, how it ended. Events are taken as
they are stored, whatever stands in them: what cannot be read is wrong and never an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hitl_approval.domain.approval import Approval, digest_content
from hitl_approval.domain.audit import Finding, isoformat, verify
from hitl_approval.domain.edit import changes_view
from hitl_approval.domain.errors import UnreadableRecord
from hitl_approval.domain.replay import Event, details_of, name_of, replayed
from hitl_approval.domain.room import room_for_comments
from hitl_approval.domain.text import shown
from hitl_approval.domain.values import is_edit
from hitl_approval.domain.view import vote_view

ENDS = frozenset({"approved", "rejected", "timeout", "cancelled"})
"""Events that end an approval; each is also the status that it has from then on."""

_EDITS = frozenset({"voted", "approved", "stage_opened"})
"""Events that may bring a change of the content."""

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
    ended = [number for number, event in enumerate(events, start=1) if name_of(event) in ENDS]
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
    """Numbers of the events that are about another content than the one before says.

    Only a vote for it changes the content, and says what of it.
    """
    found, digest = [], events[0].get("content_digest")
    for number, event in enumerate(events, start=1):
        said = event.get("content_digest")
        if said != digest and not (name_of(event) in _EDITS and is_edit(details_of(event))):
            found.append(number)
        else:
            digest = said
    return found


def _asked(approval: Approval, first: Event) -> list[tuple[str, Any, Any]]:
    details = details_of(first)
    return [
        ("requester", approval.requester, first.get("actor")),
        ("created_at", isoformat(approval.created_at), first.get("at")),
        ("execution_arn", approval.execution_arn, details.get("execution_arn")),
    ]


def _compared(approval: Approval, events: Sequence[Event]) -> list[tuple[str, Any, Any]]:
    """Field, what the row says, what its trail says."""
    last = events[-1]
    ended = name_of(last) in ENDS
    at = isoformat(approval.decided_at) if approval.decided_at else None
    trail = replayed(events, room_for_comments(approval))
    cast = [vote_view(vote) for vote in approval.votes]
    if len(events) < approval.audit_sequence:  # an end by silence or withdrawal has no vote
        cast = cast[len(cast) - len(trail.votes) :]
    digest = last.get("content_digest")
    return [
        ("status", approval.status, name_of(last) if ended else "pending"),
        ("decided_by", approval.decided_by, last.get("actor") if ended else None),
        ("decided_at", at, last.get("at") if ended else None),
        ("comments", approval.comments, details_of(last).get("comments", "") if ended else ""),
        ("votes", cast, trail.votes),
        ("thread_length", approval.thread_length, trail.thread_length),
        ("superseded_by", approval.superseded_by, details_of(last).get("superseded_by")),
        ("turn", approval.turn.to_dict(), trail.turn),
        ("expires_at", isoformat(approval.expires_at), trail.expires_at),
        ("changes", changes_view(approval.changes), trail.changes),
        ("content_digest", approval.content_digest, digest),
        ("content", digest_content(approval), digest),
    ]
