"""The audit trail: append-only events, each holding the hash of the one before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from hitl_approval.domain.text import canonical_json

EventName = Literal[
    "requested", "voted", "approved", "rejected", "timeout", "cancelled", "notification_failed"
]
Identity = Literal["declared", "iam", "jwt", "link", "slack", "system"]
"""How we know who acted: `declared` is a typed-in name, `system` is the workflow itself."""

GENESIS = "0" * 64
"""Previous hash of the first event."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, and how we know."""

    name: str
    identity: Identity

    @property
    def verified(self) -> bool:
        """Whether somebody vouches for the name."""
        return self.identity != "declared"


SYSTEM = Actor("hitl-approval", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that happened to one approval."""

    approval_id: str
    sequence: int
    event: EventName
    at: datetime
    actor: Actor
    content_digest: str
    details: Mapping[str, Any]
    previous_hash: str

    def to_dict(self) -> dict[str, Any]:
        """The event as JSON values, its hash included."""
        return {**self._hashed(), "hash": self.hash}

    @property
    def hash(self) -> str:
        """SHA-256 over everything the event says and the hash of the event before it."""
        return hashlib.sha256(canonical_json(self._hashed()).encode()).hexdigest()

    def _hashed(self) -> dict[str, Any]:
        return {
            "approval_id": self.approval_id,
            "sequence": self.sequence,
            "event": self.event,
            "at": isoformat(self.at),
            "actor": self.actor.name,
            "identity": self.actor.identity,
            "content_digest": self.content_digest,
            "details": dict(self.details),
            "previous_hash": self.previous_hash,
        }


def isoformat(moment: datetime) -> str:
    """UTC with milliseconds, the one spelling of time on record: sorts as it runs."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(value: str) -> datetime:
    """Read back what `isoformat` wrote."""
    return datetime.fromisoformat(value)
