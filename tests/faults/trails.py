"""An audit trail, replayed by itself: who was asked at each moment, and who answered then.

This shares no code with `hitl_approval.domain.turn` and `agreement`, which it is held against: they
say from a whole turn who is asked, this follows the events one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hitl_approval.domain.text import person_key as key
from tests.faults.deployment import Deployment
from tests.faults.evidence import Row

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Cast:
    """A vote on record: who cast it, who was asked for it, in which place, in which stage."""

    person: str
    asked: str
    place: str
    stage: int
    decision: str


@dataclass
class Replayed:
    """What a trail has come to.

    Attributes:
        row: the record, of which what never changes is taken: who was asked first, and the rules.
        stage: which is open.
        opened_at: since when.
        expires_at: until when.
        steps: of the escalation that the stage has behind it.
        first: places of those who were asked when the stage began.
        places: who is asked now: place -> who holds it.
        handed: place -> who has taken it in this stage.
        called: whom the escalation has asked.
        votes: on record.
        strangers: votes by who was not asked.
        doubles: votes of one person, or in one place, beside another.
        disorder: what came out of turn.
    """

    row: Row
    stage: int = 0
    opened_at: str = ""
    expires_at: str = ""
    steps: int = 0
    first: frozenset[str] = frozenset()
    places: dict[str, str] = field(default_factory=dict)
    handed: dict[str, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    votes: list[Cast] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    disorder: list[str] = field(default_factory=list)

    @property
    def quorum(self) -> Mapping[str, Any]:
        """The rules of the open stage."""
        policy: Mapping[str, Any] = self.row["policy"]
        return policy["stages"][self.stage - 1] if self.stage else policy

    @property
    def now(self) -> list[Cast]:
        """The votes of the open stage."""
        return [vote for vote in self.votes if vote.stage == self.stage]

    def enough(self, more: frozenset[str] = frozenset()) -> bool:
        """Whether the approvals of the open stage are, with those of these places."""
        approved = {vote.place for vote in self.now if vote.decision == "approved"} | more
        if self.quorum["quorum"] == "groups":
            return all(
                len(approved & ({key(name) for name in group["people"]} | self.called))
                >= group["count"]
                for group in self.quorum["quorum_groups"]
            )
        everyone = self.quorum["quorum"] == "everyone"
        needed = len(self.may(self.first)) if everyone else self.quorum["quorum_count"]
        return len(approved) >= max(needed, 1)

    def may(self, people: frozenset[str]) -> frozenset[str]:
        """Those of them who may decide."""
        own = self.row["policy"]["allow_self_approval"]
        return people if own else people - {key(self.row["requester"])}

    def left(self) -> frozenset[str]:
        """Places of those who may still answer."""
        answered = {name for vote in self.votes for name in (vote.person, vote.asked)}
        may = self.may(frozenset(self.places.values()))
        return frozenset(
            place for place, who in self.places.items() if who in may and who not in answered
        )

    def ask(self, names: Sequence[str], event: Event) -> None:
        """A stage begins."""
        self.places = {key(name): key(name) for name in names}
        self.first, self.handed, self.called, self.steps = frozenset(self.places), {}, set(), 0
        self.opened_at = event["at"]

    def follow(self, event: Event) -> None:
        """What an event says has happened."""
        details, name = event["details"], event["event"]
        if details.get("changes"):  # another content, which no vote so far is about
            self.votes = []
        if "decision" in details:
            self._vote(event)
        self.expires_at = details.get("expires_at", self.expires_at)
        match name:
            case "requested":
                self.ask(self.row["approvers"], event)
            case "stage_opened":
                self._open(event)
            case "escalated":
                self._escalate(event)
            case "reassigned":
                self._hand_over(event)
            case "retracted":
                self._take_back(event)
            case "approved":
                if self.stage < len(self.row["policy"].get("stages", ())):
                    self.disorder.append(f"approved in stage {self.stage}, which is not the last")

    def _vote(self, event: Event) -> None:
        who = key(event["actor"])
        asked = key(event["details"].get("on_behalf_of", who))
        place = next((p for p, holder in self.places.items() if holder == asked), asked)
        if event["details"].get("changes"):  # of another content, which nobody has seen before
            self.votes = []
        if self.places and asked not in self.places.values():
            by_now = sorted(self.places.values())
            self.strangers.append(f"{who} voted in stage {self.stage}, which asked {by_now}")
        if who != asked and who in self.places.values():
            self.strangers.append(f"{who} voted for {asked}, and is asked themselves")
        if event["at"] >= self.expires_at:
            self.disorder.append(f"{who} voted after the time of stage {self.stage}")
        for other in self.votes:
            if {who, asked} & {other.person, other.asked}:
                self.doubles.append(f"{who} voted for {asked}, {other.person} for {other.asked}")
            elif (other.place, other.stage) == (place, self.stage):
                self.doubles.append(f"{who} voted in {place}'s place, as {other.person} had")
        self.votes.append(Cast(who, asked, place, self.stage, event["details"]["decision"]))

    def _open(self, event: Event) -> None:
        if event["details"]["stage"] != self.stage + 1:
            self.disorder.append(f"stage {event['details']['stage']} followed {self.stage}")
        if not self.enough():
            self.disorder.append(f"stage {self.stage} ended by {self.now}, which is not enough")
        self.stage += 1
        self.ask(self.quorum["approvers"], event)

    def _escalate(self, event: Event) -> None:
        step = self.row["policy"]["escalation"][self.steps]
        self.steps += 1
        if event["details"]["escalation"] != self.steps:
            self.disorder.append(f"step {event['details']['escalation']} came as {self.steps}")
        due = datetime.fromisoformat(self.opened_at) + timedelta(seconds=step["after_seconds"])
        if not due <= datetime.fromisoformat(event["at"]):
            self.disorder.append(f"step {self.steps} of the escalation came before it was due")
        stages = self.row["policy"].get("stages", ())[self.stage :]
        later = {key(name) for stage in stages for name in stage["approvers"]}
        to = [key(name) for name in step["to"] if key(name) not in later]
        if step["mode"] == "replace" and to:
            self.places = {}
        for place in to:
            holder = self.handed.get(place, place)
            if holder not in self.places.values():
                self.places[place] = holder
        self.called |= {*map(key, step["to"])}

    def _hand_over(self, event: Event) -> None:
        giver, to = key(event["details"]["from"]), key(event["details"]["to"][0])
        place = next((p for p, holder in self.places.items() if holder == giver), None)
        if place is None:
            self.disorder.append(f"{giver} gave a place away and held none")
            return
        if to in self.places.values() or any(to in {v.person, v.asked} for v in self.votes):
            self.doubles.append(f"{to} took {place}'s place and had another, or had answered")
        self.places[place] = self.handed[place] = to

    def _take_back(self, event: Event) -> None:
        who = key(event["actor"])
        vote = next((vote for vote in self.votes if vote.person == who), None)
        if vote is None or vote.stage != self.stage:
            self.disorder.append(f"{who} took back {vote}, which stage {self.stage} is built on")
        self.votes = [vote for vote in self.votes if vote.person != who]


def replayed(deployment: Deployment, row: Row) -> Replayed:
    """What the trail of a record has come to."""
    found = Replayed(row)
    for event in deployment.events(row["approval_id"]):
        found.follow(event)
    return found


def nobody_votes_twice(deployment: Deployment) -> Iterator[str]:
    """19. No person has two votes on one request, and no place two in one stage."""
    for trail in _trails(deployment):
        yield from trail.doubles


def only_who_is_asked_decides(deployment: Deployment) -> Iterator[str]:
    """20. Each vote is by somebody whom the request asked then; who was replaced casts none."""
    for trail in _trails(deployment):
        yield from trail.strangers
        turn = trail.row.get("turn", {})
        said = {key(place): key(who) for place, who in turn.get("handed_over", ())}
        was = {place: who for place, who in trail.handed.items() if place != who}
        if (turn.get("stage", 0), turn.get("escalations", 0), said) != (
            trail.stage,
            trail.steps,
            was,
        ):
            yield f"the row's turn is {turn}, the trail's {trail.stage, trail.steps, was}"


def stages_are_in_order(deployment: Deployment) -> Iterator[str]:
    """21. A stage is approved, in its time, before the next is asked; the last one ends it."""
    for trail in _trails(deployment):
        yield from trail.disorder


def _trails(deployment: Deployment) -> Iterator[Replayed]:
    for row in deployment.rows().values():
        if "policy" in row:
            yield replayed(deployment, row)
