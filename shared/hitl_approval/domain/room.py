"""What one record has room for: its people, their votes, who stands in, and then comments.

A record is one DynamoDB item, and its outcome one result of a durable step. Whether people and
context fit is settled when they are asked, so that every vote that may come has its place. Whom
nobody could know then, who take a place or stand in, have a room of their own, and are refused once
it is full. A comment for which there is no room is in the audit trail, where each vote is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from hitl_approval.domain.edit import MAX_CONTEXT_WITH_VALUES, MAX_EDITED_BYTES
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.form import MAX_INPUT_BYTES
from hitl_approval.domain.form_schema import MAX_FORM_BYTES
from hitl_approval.domain.quorum import MAX_ANYONE
from hitl_approval.domain.request_values import MAX_CONTEXT_BYTES
from hitl_approval.domain.text import spelling

if TYPE_CHECKING:
    from hitl_approval.domain.approval import Approval

MAX_ITEM: Final = 400 * 1024
"""DynamoDB's largest item, in bytes (DynamoDB developer guide, Service quotas)."""
MAX_NAMES: Final = 72_000
"""Characters of all names of a request together, as ASCII JSON: with 500 votes they fit the 256 KB
of a durable step."""
MAX_WITH_FORM: Final = 20
"""Most people who may fill in a form: what each fills in stands on the row and in the outcome."""
OTHER: Final = 38_000
"""Bytes that a row keeps free for its texts, 10 files, paths, ids, times and hashes."""
MAX_OTHERS: Final = 10_000
"""Characters, as ASCII JSON, that any record takes of names that were not asked at first."""
OTHERS_EACH: Final = 50
"""More of them for each person who may be asked: what a vote leaves of its `VOTE` bytes."""
VOTE: Final = 160
"""Bytes of a vote on a row, beside its name and comment, with DynamoDB's own for each value and
`OTHERS_EACH` for the name of who stands in."""
LONGEST_NAME: Final = 1_280
"""Bytes of a name of 320 characters."""
LEFT_OUT: Final = "(the record has no room for this comment: the history has it whole)"
"""What stands on a row in the place of such a comment."""


def check_room(approval: Approval) -> None:
    """Refuse a request whose people a record cannot hold with their votes.

    Raises:
        InvalidRequest: with the sizes.
    """
    people = _people(approval)
    if approval.form is not None and len(people) > MAX_WITH_FORM:
        raise InvalidRequest(
            "approvers",
            f"are {len(people)} people, of whom each fills in the form: name at most "
            f"{MAX_WITH_FORM}, or ask without a form",
        )
    written = sum(len(json.dumps(name)) for name in people)
    if written > MAX_NAMES:
        raise InvalidRequest(
            "approvers",
            f"are {len(people)} people whose names take {written:,} characters, a record takes "
            f"{MAX_NAMES:,}: name fewer, or use shorter names",
        )
    if approval.form is not None and len(people) > MAX_ANYONE:
        raise InvalidRequest(
            "approvers",
            f"must be at most {MAX_ANYONE} with a form, whose values stand in each vote, "
            f"got {len(people)}",
        )
    room = _room(approval)
    if room < 0:
        raise InvalidRequest(
            "approvers",
            f"are {len(people)} people who take {-room:,} bytes more than a record holds with "
            f"their votes: name fewer, or each in one stage or group only",
        )


def has_room_for_others(approval: Approval) -> bool:
    """Whether a record holds the names that hand-overs and delegations have brought.

    Whoever has taken a place may still answer: their name then stands in their vote too.
    """
    people = _people(approval)
    known = {spelling(name) for name in people}
    in_votes = [
        name
        for vote in approval.votes
        for name in (vote.approver, vote.asked)
        if vote.on_behalf_of or spelling(name) not in known
    ]
    taken = [name for one, other in approval.turn.handed_over for name in (one, other, other)]
    written = sum(len(json.dumps(name)) for name in (*in_votes, *taken))
    return written <= MAX_OTHERS + OTHERS_EACH * len(people)


def room_for_comments(approval: Approval) -> int:
    """Bytes of comments that stand on a row, whatever its context and whoever votes."""
    return max(_room(approval), 0)


def kept_comment(room: int, earlier: Iterable[str], comment: str) -> str:
    """A comment as it stands on a row, or that it stands elsewhere.

    Args:
        room: for all comments, see `room_for_comments`.
        earlier: the comments that stand there.
        comment: the next one.
    """
    taken = sum(len(each.encode(errors="replace")) for each in earlier if each != LEFT_OUT)
    fits = taken + len(comment.encode(errors="replace")) <= room
    return comment if fits or len(comment.encode(errors="replace")) <= len(LEFT_OUT) else LEFT_OUT


def _room(approval: Approval) -> int:
    people = _people(approval)
    votes = sum(len(name.encode()) + VOTE + len(LEFT_OUT) for name in people)
    if not approval.approvers:
        votes += MAX_ANYONE * (LONGEST_NAME + VOTE + len(LEFT_OUT))
    named = sum(len(name.encode()) + 1 for name in approval.approvers)
    rules = len(json.dumps(approval.policy.to_dict(), ensure_ascii=False).encode())
    kept_free = OTHER + MAX_OTHERS + MAX_CONTEXT_BYTES
    return MAX_ITEM - kept_free - named - rules - votes - _values(approval)


def _values(approval: Approval) -> int:
    """Bytes for what approvers fill in and change: what a smaller context leaves, and more."""
    if approval.form is None and not approval.editable:
        return 0
    filled_in = MAX_WITH_FORM * MAX_INPUT_BYTES + MAX_FORM_BYTES if approval.form else 0
    needed = filled_in + 2 * MAX_EDITED_BYTES
    return max(needed - (MAX_CONTEXT_BYTES - MAX_CONTEXT_WITH_VALUES), 0)


def _people(approval: Approval) -> tuple[str, ...]:
    """Everybody who may ever be asked, each once."""
    policy = approval.policy
    later = [name for stage in policy.stages for name in stage.approvers]
    steps = [name for step in policy.escalation for name in step.to]
    return tuple({spelling(n): n for n in (*approval.approvers, *later, *steps)}.values())
