"""The audit trail: append-only events, each holding the hash of the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from hitl_approval.contract import Audit
from hitl_approval.domain.salted import erased_of, hash_of, is_said, with_salts
from hitl_approval.domain.text import SYSTEM_NAME

EventName = Literal[
    "requested",
    "voted",
    "approved",
    "rejected",
    "timeout",
    "cancelled",
    "stage_opened",
    "escalated",
    "reassigned",
    "retracted",
    "notification_failed",
    "reminded",
    "commented",
]
Identity = Literal["declared", "iam", "jwt", "link", "slack", "system", "rule"]
"""How we know who acted: `declared` is a typed-in name, `system` is the workflow itself, `rule` is
one of the deployment's rules."""

GENESIS = "0" * 64
"""Previous hash of the first event."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, and how we know.

    Attributes:
        name: of the person, or of a role that counts as one.
        identity: how we know.
        issuer: of the token, where it was one.
        session: ARN of the role's session, where the name is that of a role.
        signed_in_at: when this person last proved to the token's issuer who they are, if it says.
    """

    name: str
    identity: Identity
    issuer: str | None = None
    session: str | None = None
    signed_in_at: datetime | None = None

    @property
    def verified(self) -> bool:
        """Whether somebody vouches for the name."""
        return self.identity != "declared"

    @property
    def vouched(self) -> dict[str, str]:
        """Who vouches for the name, as it stands in an event's details."""
        known = {"issuer": self.issuer, "session": self.session}
        return {name: value for name, value in known.items() if value}


SYSTEM = Actor(SYSTEM_NAME, "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened to one approval.

    `salts` has a salt for each personal value; without any the values themselves are hashed.
    """

    approval_id: str
    sequence: int
    event: EventName
    at: datetime
    actor: Actor
    content_digest: str
    details: Mapping[str, Any]
    previous_hash: str
    salts: Mapping[str, str] = field(default_factory=dict)

    def salted(self, draw: Callable[[], str]) -> Self:
        """The same event, whose personal values can be erased.

        Args:
            draw: gives a text that nobody can guess, another each time.
        """
        return replace(self, salts=with_salts(self._said(), draw))

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON values, its hash included."""
        return {**self._said(), Audit.HASH: self.hash}

    @property
    def hash(self) -> str:
        """SHA-256 over everything the event says and the hash of the event before it."""
        return hash_of(self._said())

    def _said(self) -> dict[str, Any]:
        return {
            Audit.PARTITION_KEY: self.approval_id,
            Audit.SORT_KEY: self.sequence,
            "event": self.event,
            "at": isoformat(self.at),
            "actor": self.actor.name,
            "identity": self.actor.identity,
            "content_digest": self.content_digest,
            "details": dict(self.details),
            "previous_hash": self.previous_hash,
            **({Audit.SALTS: dict(self.salts)} if self.salts else {}),
        }


def isoformat(moment: datetime) -> str:
    """UTC with milliseconds, the one spelling of time on record: sorts as it runs."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def on_record(moment: datetime) -> datetime:
    """The moment that `isoformat` writes: records keep milliseconds, and no part of one."""
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


def parse_time(value: str) -> datetime:
    """Read back what `isoformat` wrote."""
    return datetime.fromisoformat(value)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a trail.

    Attributes:
        sequence: the event that shows it; one past the last event for a trail cut short.
        problem: what is wrong, in words.
    """

    sequence: int
    problem: str


@dataclass(frozen=True, slots=True)
class Head:
    """What the record says of its trail: how many events, and the last one's hash."""

    sequence: int
    hash: str


def verify(events: Sequence[Mapping[str, Any]], head: Head | None) -> list[Finding]:
    """Check a trail, as stored and in stored order, against itself and against the record's head.

    Args:
        events: what `AuditEvent.to_dict` wrote, oldest first.
        head: the record's; None when its row has expired, and then a trail cut short at its end
            is not seen.

    Returns:
        Every change, removal, insertion or reordering that can be seen; empty when all is well.
        Values that were erased are none, unless the record still stands: it goes before them.
    """
    findings: list[Finding] = []
    previous = GENESIS
    for expected, event in enumerate(events, start=1):
        sequence = event.get(Audit.SORT_KEY)
        if head is not None and erased_of(event):
            findings.append(Finding(expected, "has values erased, and its record still stands"))
        if sequence != expected:
            findings.append(Finding(expected, f"event {sequence} stands where {expected} must"))
        if event.get("previous_hash") != previous:
            findings.append(Finding(expected, "does not follow from the event before it"))
        if hash_of(event) != event.get(Audit.HASH) or not is_said(event):
            findings.append(Finding(expected, "has been changed since it was written"))
        previous = str(event.get(Audit.HASH))
    if head is None:
        return findings
    if len(events) < head.sequence:
        missing = head.sequence - len(events)
        findings.append(Finding(len(events) + 1, f"{missing} events are missing at the end"))
    elif len(events) > head.sequence or previous != head.hash:
        findings.append(Finding(len(events), "the record's head names another last event"))
    return findings
