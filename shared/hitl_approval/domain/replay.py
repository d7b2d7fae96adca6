"""What a trail says that its row must hold, event by event.

Events are taken as they are stored, whatever stands in them: what cannot be read is no error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hitl_approval.contract import Audit
from hitl_approval.domain.edit import CHANGES, Change, changes_view, merged, read_changes
from hitl_approval.domain.form import INPUT
from hitl_approval.domain.room import kept_comment
from hitl_approval.domain.text import person_key, spelling
from hitl_approval.domain.thread import COMMENTED
from hitl_approval.domain.values import is_edit

Event = Mapping[str, Any]


@dataclass(slots=True)
class Replayed:
    """Fields of a row, as JSON values.

    Attributes:
        room: for comments, see `room.room_for_comments`.
        votes: those that count.
        turn: whose turn it is.
        expires_at: of the stage that is open.
        thread_length: how many comments there are.
        changed: what approvers have changed of the content.
    """

    room: int
    votes: list[dict[str, Any]] = field(default_factory=list)
    turn: dict[str, Any] = field(default_factory=dict)
    expires_at: Any = None
    thread_length: int = 0
    changed: dict[str, Change] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, Any]:
        """What approvers have changed, as a row has it."""
        return changes_view(self.changed)

    def follow(self, event: Event) -> None:
        """Take in the next event."""
        details, name = details_of(event), name_of(event)
        self.expires_at = details.get("expires_at", self.expires_at)
        if is_edit(details):
            self.votes = []
            with suppress(AttributeError, KeyError, TypeError):
                self.changed = merged(self.changed, read_changes(details[CHANGES]))
        self.thread_length += name == COMMENTED
        if "decision" in details:
            self.votes.append(self._vote(event))
        if name == "retracted":
            self.votes = [vote for vote in self.votes if not _is_by(vote, event)]
        elif name == "stage_opened":
            self.turn = {
                "stage": details.get("stage"),
                "since": event.get(Audit.SORT_KEY),
                "opened_at": event.get("at"),
                "passed": [*self.turn.get("passed", []), len(self.votes)],
            }
        elif name == "escalated":
            self.turn = {**self.turn, "escalations": details.get("escalation")}
        elif name == "reassigned":
            self.turn = _handed_over(self.turn, details)

    def _vote(self, event: Event) -> dict[str, Any]:
        details = details_of(event)
        comments = details.get("comments")
        if isinstance(comments, str):
            said = [str(vote["comments"]) for vote in self.votes]
            comments = kept_comment(self.room, said, comments)
        return {
            "approver": event.get("actor"),
            "identity": event.get("identity"),
            "decision": details.get("decision"),
            "comments": comments,
            "at": event.get("at"),
            **({INPUT: details[INPUT]} if INPUT in details else {}),
            **({"on_behalf_of": place} if (place := details.get("on_behalf_of")) else {}),
        }


def replayed(events: Sequence[Event], room: int) -> Replayed:
    """What these events say, oldest first.

    Args:
        events: as they are stored.
        room: for comments on the row.
    """
    found = Replayed(room)
    for event in events:
        found.follow(event)
    return found


def name_of(event: Event) -> str:
    """What has happened."""
    return str(event.get("event"))


def details_of(event: Event) -> Mapping[str, Any]:
    """What an event says besides; nothing where it says nothing that can be read."""
    details = event.get("details")
    return details if isinstance(details, Mapping) else {}


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
